#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "parquet/bloom_filter.h"
#include "parquet/delta_encoding.h"
#include "parquet/dictionary_values.h"

namespace longshore::parquet {
namespace {

/// Values of any length. Entries and pending values lie as PLAIN pages have them: four bytes of length, then the bytes.
class TextStore {
 public:
  static constexpr PageContent kContent = PageContent::text;

  explicit TextStore(bool utf8) : utf8_(utf8) {}

  void bind(const ColumnVector& column) {
    bytes_ = column.bytes();
    bytes_end_ = bytes_ + column.byte_size();
    offsets_ = column.offsets();
    count_ = column.size();
    const std::uint8_t* validity = column.validity();
    if (validity == nullptr) return;
    // A null is an empty run, so the values lie next to each other even so: only the offsets have to close up.
    dense_.resize(count_ + 1);
    std::size_t count = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      dense_[count] = offsets_[i];
      count += (validity[i >> 3] >> (i & 7)) & 1;
    }
    dense_[count] = offsets_[count_];
    offsets_ = dense_.data();
    count_ = count;
  }

  std::size_t count() const { return count_; }
  std::uint64_t hash(std::size_t i) const { return hash_bytes(bytes_ + offsets_[i], size(i)); }
  bool equals_entry(std::size_t i, std::uint32_t entry) const {
    return text_at(entries_, entry_begins_[entry]) == std::string_view(bytes_ + offsets_[i], size(i));
  }
  std::size_t plain_size(std::size_t i) const { return kLengthBytes + size(i); }

  void append_entry(std::size_t i) {
    entry_begins_.push_back(static_cast<std::uint32_t>(entries_.size()));
    append_plain(entries_, {bytes_ + offsets_[i], size(i)});
  }
  std::size_t entry_bytes() const { return entries_.size(); }
  void append_entries(std::size_t first, std::size_t last, ByteBuffer& body) const {
    const std::size_t begin = first < entry_begins_.size() ? entry_begins_[first] : entries_.size();
    const std::size_t end = last < entry_begins_.size() ? entry_begins_[last] : entries_.size();
    body.append(entries_.data() + begin, end - begin);
  }
  void clear_entries() {
    entries_.release();
    std::vector<std::uint32_t>().swap(entry_begins_);
  }

  void append_pending(std::size_t first) {
    // Short values are copied 32 bytes at a time: a branch less, and most are short.
    constexpr std::size_t kShort = 32;
    const auto bytes = static_cast<std::size_t>(offsets_[count_] - offsets_[first]);
    char* const begin = pending_.reserve_back(bytes + kLengthBytes * (count_ - first) + kShort);
    char* end = begin;
    for (std::size_t i = first; i < count_; ++i) {
      const char* const from = bytes_ + offsets_[i];
      const std::size_t n = size(i);
      const auto length = static_cast<std::uint32_t>(n);
      std::memcpy(end, &length, kLengthBytes);
      end += kLengthBytes;
      if (n <= kShort && bytes_end_ - from >= static_cast<std::ptrdiff_t>(kShort)) {
        std::memcpy(end, from, kShort);
      } else if (n > 0) {
        std::memcpy(end, from, n);
      }
      end += n;
    }
    pending_.grow(static_cast<std::size_t>(end - begin));
    pending_count_ += count_ - first;
  }
  void append_pending_entry(std::uint16_t entry) {
    append_plain(pending_, text_at(entries_, entry_begins_[entry]));
    ++pending_count_;
  }
  std::size_t pending_bytes() const { return pending_.size(); }

  Status write_pending(const ValueContext& context, PageValues& page, ByteBuffer& body) {
    if (!matching_) {
      TRY(matching_, context.codec->try_matching(pending_.view()));
    }
    page.matching = *matching_;
    page.encoding = Encoding::plain;
    // Lengths apart from the bytes make a smaller page, save where neighbours are alike: then the lengths are, too.
    if (context.profile == ParquetProfile::modern && pending_count_ > 0 && matching_ == TextMatching::anywhere) {
      page.encoding = Encoding::delta_length_byte_array;
      lengths_.clear();
      for_each_pending([&](std::string_view text) { lengths_.push_back(static_cast<std::int32_t>(text.size())); });
      append_delta_packed(lengths_.data(), lengths_.size(), body);
      for_each_pending([&](std::string_view text) { body.append(text); });
    } else {
      body.append(pending_.view());
    }
    // A page without values tells nothing of those to come.
    if (pending_count_ == 0) matching_.reset();
    pending_.clear();
    pending_count_ = 0;
    return {};
  }

  void include_entry(std::uint32_t entry) { page_.include(text_at(entries_, entry_begins_[entry])); }
  void include_pending() {
    for_each_pending([&](std::string_view text) { page_.include(text); });
  }
  Bounds close_page_bounds(std::size_t limit) {
    const ByteBounds page = std::exchange(page_, {});
    Bounds bounds = page.bounds(limit, utf8_);
    if (!page.any()) return bounds;
    const std::string_view min = page.min().substr(0, kLongestBound + 1);
    const std::string_view max = page.max().substr(0, kLongestBound + 1);
    if (!chunk_any_ || min < chunk_min_) chunk_min_ = min;
    if (!chunk_any_ || max > chunk_max_) chunk_max_ = max;
    chunk_any_ = true;
    // What readers see in order is what was cut, so that is compared.
    if (before_.present) order_.follow(before_.min, before_.max, bounds.min, bounds.max, std::less<>());
    before_ = bounds;
    return bounds;
  }
  Bounds chunk_bounds(std::size_t limit) const {
    ByteBounds chunk;
    if (chunk_any_) {
      chunk.include(chunk_min_);
      chunk.include(chunk_max_);
    }
    return chunk.bounds(limit, utf8_);
  }
  BoundaryOrder order() const { return order_.order(); }

  void hash_entries(std::vector<std::uint64_t>& hashes) const {
    for (const std::uint32_t begin : entry_begins_) {
      const std::string_view text = text_at(entries_, begin);
      hashes.push_back(bloom_hash(text.data(), text.size()));
    }
  }
  void hash_pending(std::vector<std::uint64_t>& hashes) const {
    for_each_pending([&](std::string_view text) { hashes.push_back(bloom_hash(text.data(), text.size())); });
  }

  void reset() {
    pending_.clear();
    pending_count_ = 0;
    matching_.reset();
    page_ = {};
    before_ = {};
    chunk_any_ = false;
    order_ = {};
  }

 private:
  static constexpr std::size_t kLengthBytes = 4;
  static constexpr std::size_t kReadAhead = 8;  ///< what ByteBounds reads of the shortest value

  static std::string_view text_at(const ByteBuffer& plain, std::size_t begin) {
    std::uint32_t length = 0;
    std::memcpy(&length, plain.data() + begin, kLengthBytes);
    return {plain.data() + begin + kLengthBytes, length};
  }
  static void append_plain(ByteBuffer& plain, std::string_view text) {
    const auto length = static_cast<std::uint32_t>(text.size());
    plain.reserve_back(kLengthBytes + text.size() + kReadAhead);
    plain.append(&length, kLengthBytes);
    plain.append(text);
  }
  template <class Visit>
  void for_each_pending(Visit visit) const {
    for (std::size_t begin = 0; begin < pending_.size();) {
      const std::string_view text = text_at(pending_, begin);
      visit(text);
      begin += kLengthBytes + text.size();
    }
  }
  std::size_t size(std::size_t i) const { return static_cast<std::size_t>(offsets_[i + 1] - offsets_[i]); }

  bool utf8_;
  const char* bytes_ = nullptr;
  const char* bytes_end_ = nullptr;
  const std::int32_t* offsets_ = nullptr;
  std::size_t count_ = 0;
  std::vector<std::int32_t> dense_;
  std::vector<std::int32_t> lengths_;  ///< scratch
  ByteBuffer entries_;
  std::vector<std::uint32_t> entry_begins_;
  ByteBuffer pending_;
  std::size_t pending_count_ = 0;
  std::optional<TextMatching> matching_;  ///< found out on the first page of a row group
  ByteBounds page_;
  Bounds before_;          ///< of the last page with values
  std::string chunk_min_;  ///< up to kLongestBound + 1 bytes: whether there was more matters
  std::string chunk_max_;
  bool chunk_any_ = false;
  OrderOfPages order_;
};

}  // namespace

std::unique_ptr<ValueWriter> make_text_writer(const Leaf& leaf, ValueContext& context) {
  const bool utf8 = leaf.meaning != Meaning::plain;
  return std::make_unique<DictionaryValueWriter<TextStore>>(context, utf8);
}

}  // namespace longshore::parquet
