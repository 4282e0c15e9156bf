#include "encode/text/byte_scan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace longshore {
namespace {

/// What any scan must say of `text`, by the plainest of loops.
template <class Specials>
unsigned expected_flags(const std::string& text, const Specials& specials) {
  unsigned flags = 0;
  for (const char c : text) {
    if (specials(c)) return kScanSpecial;
    if (static_cast<unsigned char>(c) >= 0x80) flags = kScanNonAscii;
  }
  return flags;
}

std::vector<const ScanFunctions*> implementations() {
  std::vector<const ScanFunctions*> all{&baseline_scan()};
  if (avx2_scan() != nullptr) all.push_back(avx2_scan());
  return all;
}

void check(const std::string& text) {
  // Exact allocations, so that AddressSanitizer sees any byte read or written beyond.
  std::vector<char> from(text.begin(), text.end());
  std::vector<char> out(text.size());
  const auto judge = [&](unsigned found, unsigned expected) {
    // A scan that found something special may have stopped before it saw anything else, or after.
    if ((expected & kScanSpecial) != 0) {
      EXPECT_TRUE((found & kScanSpecial) != 0) << text;
    } else {
      EXPECT_EQ(found, expected) << text;
      EXPECT_EQ(std::string(out.begin(), out.end()), text);
    }
  };
  for (const ScanFunctions* scan : implementations()) {
    const CsvSpecials csv{';'};
    judge(scan->csv(from.data(), from.size(), out.data(), csv), expected_flags(text, csv));
    judge(scan->json(from.data(), from.size(), out.data(), JsonSpecials{}), expected_flags(text, JsonSpecials{}));
  }
  if (text.size() <= 32) {
    from.resize(32, '"');  // what lies behind the run must not count
    out.resize(32);
    const unsigned csv = scan_short(from.data(), text.size(), out.data(), CsvSpecials{';'});
    EXPECT_EQ((csv & kScanSpecial) != 0, (expected_flags(text, CsvSpecials{';'}) & kScanSpecial) != 0) << text;
    const unsigned json = scan_short(from.data(), text.size(), out.data(), JsonSpecials{});
    EXPECT_EQ((json & kScanSpecial) != 0, (expected_flags(text, JsonSpecials{}) & kScanSpecial) != 0) << text;
  }
}

TEST(ByteScan, AllImplementationsSeeEveryByteAtEveryPlace) {
  for (std::size_t size = 1; size <= 130; ++size) {
    check(std::string(size, 'x'));
    for (std::size_t place = 0; place < size; ++place) {
      for (const char c : {'"', ';', ',', '\n', '\r', '\\', '\x1F', '\x00', '\x7F', '\x80', '\xFF'}) {
        std::string text(size, 'x');
        text[place] = c;
        check(text);
      }
    }
  }
}

TEST(ByteScan, ClassifiesEachOfThe256Bytes) {
  for (int c = 0; c < 256; ++c) check(std::string(40, 'x') + static_cast<char>(c) + std::string(40, 'x'));
}

}  // namespace
}  // namespace longshore
