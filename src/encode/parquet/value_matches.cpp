#include "parquet/value_matches.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

namespace longshore::parquet {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kShortestMatch = 4;

std::uint64_t load(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The index of the first zero byte of `word`; 8 if there is none.
std::size_t first_zero_byte(std::uint64_t word) {
  constexpr std::uint64_t kLow = 0x7F7F'7F7F'7F7F'7F7FU;
  // The highest bit of each byte of `zeros` is set where the byte is zero.
  const std::uint64_t zeros = ~(((word & kLow) + kLow) | word | kLow);
  return zeros == 0 ? 8 : static_cast<std::size_t>(std::countr_zero(zeros)) / 8;
}

/// Letters and digits: what differs from value to value stands in them, and what stays the same between them.
constexpr auto kIsWord = [] {
  std::array<bool, 256> is_word{};
  for (const auto& [first, last] : {std::pair{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}) {
    for (char c = first; c <= last; ++c) is_word[static_cast<unsigned char>(c)] = true;
  }
  return is_word;
}();

/// Collects matches; what lies between them are literals. Positions are offsets in the page.
class MatchList {
 public:
  MatchList(std::string_view page, std::vector<ZSTD_Sequence>& matches) : page_(page.data()), matches_(matches) {}

  /// How many bytes from `at` on are equal to those from `before` on, up to `limit`.
  std::size_t common(std::size_t at, std::size_t before, std::size_t limit) const {
    for (std::size_t n = 0; n < limit; n += 8) {
      const std::uint64_t difference = load(page_ + at + n) ^ load(page_ + before + n);
      if (difference != 0) return std::min(limit, n + static_cast<std::size_t>(std::countr_zero(difference)) / 8);
    }
    return limit;
  }

  /// The end of the word at `at`, if there is one.
  std::size_t end_of_word(std::size_t at, std::size_t last) const {
    while (at < last && kIsWord[static_cast<unsigned char>(page_[at])]) ++at;
    return at;
  }

  /// Adds the runs in [first, last) that are equal to what lies `distance` before them.
  void compare(std::size_t first, std::size_t last, std::size_t distance) {
    std::size_t at = first;
    while (at + kShortestMatch <= last) {
      const std::uint64_t difference = load(page_ + at) ^ load(page_ + at - distance);
      if ((difference & 0xFF) != 0) {
        at += first_zero_byte(difference);
        continue;
      }
      const std::size_t run = common(at, at - distance, last - at);
      add(at, run, distance);
      at += run + 1;
    }
  }

  void add(std::size_t begin, std::size_t size, std::size_t distance) {
    if (size < kShortestMatch) return;
    if (begin == literals_ && !matches_.empty() && matches_.back().offset == distance) {
      matches_.back().matchLength += static_cast<unsigned>(size);
    } else {
      matches_.push_back(
          {static_cast<unsigned>(distance), static_cast<unsigned>(begin - literals_), static_cast<unsigned>(size), 0});
    }
    literals_ = begin + size;
  }

 private:
  const char* page_;
  std::vector<ZSTD_Sequence>& matches_;
  std::size_t literals_ = 0;  ///< where the bytes that no match covers begin
};

/// A value in the page, with its length.
struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
};

/// Compares a value with the one that ends where it begins.
void compare_values(const Place& value, const Place& before, MatchList& list) {
  // From the beginning as far as both are alike, …
  const std::size_t shorter = std::min(value.size(), before.size());
  const std::size_t prefix =
      kLengthBytes + list.common(value.begin + kLengthBytes, before.begin + kLengthBytes, shorter - kLengthBytes);
  list.compare(value.begin, value.begin + prefix, value.begin - before.begin);
  // … then behind each pair of words that differ, …
  std::size_t at = value.begin + prefix;
  std::size_t at_before = before.begin + prefix;
  while (true) {
    const std::size_t word_end = list.end_of_word(at, value.end);
    const std::size_t word_end_before = list.end_of_word(at_before, before.end);
    const std::size_t run =
        list.common(word_end, word_end_before, std::min(value.end - word_end, before.end - word_end_before));
    if (run == 0) break;
    list.add(word_end, run, word_end - word_end_before);
    at = word_end + run;
    at_before = word_end_before + run;
  }
  // … and what is left with the ends laid upon each other.
  const std::size_t rest = std::min(value.end - at, before.end - at_before);
  list.compare(value.end - rest, value.end, value.end - before.end);
}

}  // namespace

void find_value_matches(std::string_view page, std::size_t begin, std::vector<ZSTD_Sequence>& matches) {
  matches.clear();
  MatchList list(page, matches);
  Place before{begin, begin};
  for (std::size_t at = begin; at < page.size(); at = before.end) {
    std::uint32_t length = 0;
    std::memcpy(&length, page.data() + at, kLengthBytes);
    const Place value{at, at + kLengthBytes + length};
    if (before.size() > 0) compare_values(value, before, list);
    before = value;
  }
}

}  // namespace longshore::parquet
