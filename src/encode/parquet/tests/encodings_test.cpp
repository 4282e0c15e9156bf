#include <gtest/gtest.h>
#include <zstd.h>

#include <cstring>
#include <random>

#include "parquet/bit_packing.h"
#include "parquet/bloom_filter.h"
#include "parquet/bounds.h"
#include "parquet/delta_encoding.h"
#include "parquet/distinct_index.h"
#include "parquet/levels.h"
#include "parquet/page_codec.h"
#include "parquet/row_group_record.h"

namespace longshore::parquet {
namespace {

/// Reads what the encoders wrote, written down from Encodings.md and not from them.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.at(at_++));
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
  }
  std::int64_t zigzag() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  std::uint64_t bits(int width) {
    std::uint64_t value = 0;
    for (int i = 0; i < width; ++i, ++bit_) {
      const auto byte = static_cast<unsigned char>(bytes_.at(at_ + bit_ / 8));
      value |= std::uint64_t{(byte >> (bit_ % 8)) & 1U} << i;
    }
    return value;
  }
  void end_bits() {
    at_ += (bit_ + 7) / 8;
    bit_ = 0;
  }
  unsigned char byte() { return static_cast<unsigned char>(bytes_.at(at_++)); }
  bool done() const { return at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::size_t bit_ = 0;
};

std::vector<std::uint16_t> read_hybrid(std::string_view bytes, std::size_t n, int width) {
  BitReader reader(bytes);
  std::vector<std::uint16_t> values;
  while (!reader.done()) {
    const std::uint64_t header = reader.varint();
    if ((header & 1) != 0) {
      for (std::uint64_t i = 0; i < (header >> 1) * 8; ++i) {
        const auto value = static_cast<std::uint16_t>(reader.bits(width));
        if (values.size() < n) values.push_back(value);
      }
      reader.end_bits();
    } else {
      unsigned value = reader.byte();
      if (width > 8) value |= static_cast<unsigned>(reader.byte()) << 8;
      values.insert(values.end(), header >> 1, static_cast<std::uint16_t>(value));
    }
  }
  return values;
}

TEST(BitPacking, HybridIsReadBackAtEveryWidth) {
  std::mt19937 random(1);
  for (int width = 1; width <= 16; ++width) {
    for (const std::size_t n : {0, 1, 7, 8, 9, 31, 32, 33, 1000}) {
      for (const unsigned run : {1U, 3U, 40U, 2000U}) {
        std::vector<std::uint16_t> values(n);
        std::uint16_t value = 0;
        for (std::size_t i = 0; i < n; ++i) {
          if (random() % run == 0) value = static_cast<std::uint16_t>(random() & ((1U << width) - 1));
          values[i] = value;
        }
        ByteBuffer out;
        append_hybrid(values.data(), n, width, out);
        ASSERT_EQ(read_hybrid(out.view(), n, width), values) << width << " bits, " << n << " values, runs of " << run;
      }
    }
  }
}

TEST(BitPacking, RunsTakeThreeBytes) {
  const std::vector<std::uint16_t> values(100'000, 300);
  ByteBuffer out;
  append_hybrid(values.data(), values.size(), 9, out);
  EXPECT_EQ(out.size(), 5U);  // three for the count, two for the value
}

TEST(BitPacking, BitsAreReadBack) {
  std::mt19937 random(2);
  for (const std::size_t n : {0, 1, 8, 63, 64, 65, 5000}) {
    std::vector<std::uint8_t> bits((n + 7) / 8 + 1);
    std::vector<std::uint16_t> values(n);
    bool bit = false;
    for (std::size_t i = 0; i < n; ++i) {
      if (random() % 50 == 0) bit = !bit;
      values[i] = bit ? 1 : 0;
      if (bit) bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | 1U << (i % 8));
    }
    ByteBuffer out;
    append_hybrid_bits(bits.data(), n, out);
    ASSERT_EQ(read_hybrid(out.view(), n, 1), values) << n;
  }
}

TEST(BitPacking, TruthValues) {
  std::mt19937 random(3);
  for (std::size_t n = 0; n < 40; ++n) {
    std::vector<std::uint8_t> truths(n);
    for (std::uint8_t& truth : truths) truth = random() % 2;
    ByteBuffer out;
    append_truth_bits(truths.data(), n, out);
    ASSERT_EQ(out.size(), (n + 7) / 8);
    BitReader reader(out.view());
    for (const std::uint8_t truth : truths) ASSERT_EQ(reader.bits(1), truth);
  }
}

template <class Integer>
std::vector<Integer> read_delta(std::string_view bytes) {
  using Unsigned = std::make_unsigned_t<Integer>;
  BitReader reader(bytes);
  EXPECT_EQ(reader.varint(), 128U);
  EXPECT_EQ(reader.varint(), 4U);
  const std::uint64_t n = reader.varint();
  std::vector<Integer> values;
  auto value = static_cast<Unsigned>(reader.zigzag());
  if (n > 0) values.push_back(static_cast<Integer>(value));
  while (values.size() < n) {
    const auto smallest = static_cast<Unsigned>(reader.zigzag());
    int widths[4];
    for (int& width : widths) width = reader.byte();
    for (const int width : widths) {
      if (values.size() == n) {
        EXPECT_EQ(width, 0);
        continue;
      }
      EXPECT_LE(static_cast<std::size_t>(width), 8 * sizeof(Integer));
      for (int i = 0; i < 32; ++i) {
        const auto step = static_cast<Unsigned>(reader.bits(width));
        if (values.size() == n) continue;
        value += smallest + step;
        values.push_back(static_cast<Integer>(value));
      }
      reader.end_bits();
    }
  }
  EXPECT_TRUE(reader.done());
  return values;
}

template <class Integer>
void expect_delta_read_back() {
  std::mt19937_64 random(4);
  for (const std::size_t n : {0, 1, 2, 32, 33, 34, 128, 129, 130, 1000}) {
    for (int bits = 0; bits <= static_cast<int>(8 * sizeof(Integer)); bits += 4) {
      std::vector<Integer> values(n);
      const std::uint64_t mask = bits == 0 ? 0 : ~std::uint64_t{0} >> (64 - bits);
      for (Integer& value : values) value = static_cast<Integer>(random() & mask);
      if (n > 3) values[3] = std::numeric_limits<Integer>::min();
      if (n > 3) values[2] = std::numeric_limits<Integer>::max();
      ByteBuffer out;
      append_delta_packed(values.data(), n, out);
      ASSERT_EQ(read_delta<Integer>(out.view()), values) << n << " values of " << bits << " bits";
    }
  }
}

TEST(DeltaEncoding, IsReadBack) {
  expect_delta_read_back<std::int32_t>();
  expect_delta_read_back<std::int64_t>();
}

/// The levels of one page from several batches, at every offset inside a byte.
TEST(Levels, BatchesOfAnySizeJoin) {
  std::mt19937 random(5);
  for (int share : {0, 1, 50, 100}) {
    ValidityLevels levels;
    std::vector<std::uint16_t> expected;
    std::size_t nulls = 0;
    for (int batch = 0; batch < 60; ++batch) {
      ColumnVector column(DataType{.logical = LogicalType::int32});
      for (auto n = random() % 70; n > 0; --n) {
        const bool null = batch > 3 && static_cast<int>(random() % 100) < share;
        if (null) {
          column.append_null();
        } else {
          column.append<std::int32_t>(1);
        }
        expected.push_back(null ? 0 : 1);
        nulls += null ? 1 : 0;
      }
      levels.append(column);
    }
    EXPECT_EQ(levels.rows(), expected.size());
    EXPECT_EQ(levels.nulls(), nulls);
    ByteBuffer out;
    levels.close_page(out);
    std::uint32_t size = 0;
    std::memcpy(&size, out.data(), 4);
    ASSERT_EQ(size, out.size() - 4);
    ASSERT_EQ(read_hybrid(out.view().substr(4), expected.size(), 1), expected) << share << " % nulls";
    EXPECT_EQ(levels.rows(), 0U);
  }
}

TEST(Bounds, TextIsCutBetweenCharactersAndRaised) {
  EXPECT_EQ(cut_below("abc", 3, true), "abc");
  EXPECT_EQ(cut_below("abcd", 3, true), "abc");
  EXPECT_EQ(cut_below("abé", 3, true), "ab");
  EXPECT_EQ(cut_below("日本", 5, true), "日");
  EXPECT_EQ(cut_above("abc", 3, true), "abc");
  EXPECT_EQ(cut_above("abcd", 3, true), "abd");
  EXPECT_EQ(cut_above("日本", 5, true), "旦");
  // U+D7FF is followed by the surrogates, which UTF-8 does not know; U+10FFFF by nothing.
  EXPECT_EQ(cut_above("\uD7FFx", 3, true), "\uE000");
  EXPECT_EQ(cut_above("a\U0010FFFFx", 5, true), "b");
  EXPECT_EQ(cut_above("\U0010FFFF\U0010FFFFx", 8, true), std::nullopt);
  // U+007F would become two bytes where there is room for one.
  EXPECT_EQ(cut_above("ab\x7Fx", 3, true), "ac");
  EXPECT_EQ(cut_above("ab\x7Fxy", 4, true), "ab\x7Fy");
}

TEST(Bounds, BytesAreCutAnywhere) {
  EXPECT_EQ(cut_below("\xC3\xA9\xC3\xA9", 3, false), "\xC3\xA9\xC3");
  EXPECT_EQ(cut_above("a\xFF\xFF\xFF", 3, false), "b");
  EXPECT_EQ(cut_above("\xFF\xFF\xFF\xFF", 3, false), std::nullopt);
  EXPECT_EQ(cut_above("\xFF\xFF\xFF", 3, false), "\xFF\xFF\xFF");
}

TEST(Bounds, OrderIsByUnsignedBytes) {
  std::mt19937 random(6);
  std::vector<std::string> values;
  for (int i = 0; i < 3000; ++i) {
    std::string& value = values.emplace_back();
    for (auto n = random() % 12; n > 0; --n) value += static_cast<char>(random() % 3 == 0 ? 0 : 0x7E + random() % 4);
  }
  ByteBounds bounds;
  for (const std::string& value : values) bounds.include(value);
  EXPECT_EQ(bounds.min(), *std::ranges::min_element(values));
  EXPECT_EQ(bounds.max(), *std::ranges::max_element(values));
  EXPECT_FALSE(ByteBounds().bounds(64, true).present);
}

TEST(DistinctIndex, FindsEachValueAgain) {
  DistinctIndex index;
  std::vector<std::string> known;
  const auto number_of = [&](const std::string& value) {
    const std::uint64_t hash = hash_bytes(value.data(), value.size());
    DistinctIndex::Slot* slot = index.find(hash, [&](std::uint32_t number) { return known[number] == value; });
    if (slot->number != 0) return slot->number - 1;
    index.insert(*slot, hash);
    known.push_back(value);
    return static_cast<std::uint32_t>(known.size() - 1);
  };
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < 20'000; ++i) {
      std::string value(i % 40, 'x');
      value += std::to_string(i);
      ASSERT_EQ(number_of(value), i);
    }
  }
  EXPECT_EQ(index.size(), 20'000U);
  index.clear();
  known.clear();
  EXPECT_EQ(number_of("again"), 0U);
}

TEST(DistinctIndex, GivesUpWhenValuesAreMadeToCollide) {
  DistinctIndex index;
  constexpr std::uint64_t kHash = 42;
  int inserted = 0;
  DistinctIndex::Slot* slot = nullptr;
  while ((slot = index.find(kHash, [](std::uint32_t) { return false; })) != nullptr && inserted < 10'000) {
    index.insert(*slot, kHash);
    ++inserted;
  }
  EXPECT_EQ(slot, nullptr);
  EXPECT_LT(inserted, 1000);
}

/// The vectors of the xxHash specification for XXH64 with seed 0.
std::string plain_texts(const std::vector<std::string>& texts) {
  std::string plain;
  for (const std::string& text : texts) {
    const auto length = static_cast<std::uint32_t>(text.size());
    plain.append(reinterpret_cast<const char*>(&length), sizeof length);
    plain += text;
  }
  return plain;
}

std::string decompress(std::string_view compressed, std::size_t size) {
  std::string plain(size, '\0');
  const std::size_t read = ZSTD_decompress(plain.data(), size, compressed.data(), compressed.size());
  EXPECT_EQ(read, size);
  return plain;
}

TEST(PageCodec, TextsComparedWithTheOneBeforeAreReadBack) {
  PageCodec codec = PageCodec::make(ParquetCodec::zstd).value();
  std::mt19937 random(9);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> texts;
    const std::string prefix(random() % 30, 'p');
    const std::string suffix(random() % 300, 's');
    for (auto n = random() % 400; n > 0; --n) {
      texts.push_back(random() % 20 == 0 ? "" : prefix + std::to_string(random() >> random() % 32) + suffix);
    }
    if (round % 50 == 0) texts.insert(texts.end(), 2, std::string(200'000, 'x'));
    // Levels stand before the values; 8 bytes may be read behind them.
    const std::string levels(random() % 20, 'l');
    std::string page = levels + plain_texts(texts);
    const std::size_t size = page.size();
    page.append(8, '\xEE');
    ByteBuffer out;
    ASSERT_TRUE(codec.compress_by_value(std::string_view(page).substr(0, size), levels.size(), out));
    ASSERT_TRUE(decompress(out.view(), size) == page.substr(0, size)) << round;
  }
}

TEST(PageCodec, TriesWhatSuitsTheTexts) {
  PageCodec codec = PageCodec::make(ParquetCodec::zstd).value();
  std::mt19937 random(10);
  std::vector<std::string> alike;
  std::vector<std::string> two_kinds;
  for (int i = 0; i < 3000; ++i) {
    alike.push_back("{\"path\": \"/v1/items/" + std::to_string(random()) +
                    "\", \"status\": 200, \"took\": " + std::to_string(random() % 1000) + "}");
    two_kinds.push_back(random() % 2 == 0 ? alike.back()
                                          : "user " + std::to_string(random()) + " went from the list of invoices to " +
                                                std::to_string(random() % 100));
  }
  const auto advice = [&](const std::vector<std::string>& texts) {
    std::string plain = plain_texts(texts) + "12345678";
    return codec.try_matching(std::string_view(plain).substr(0, plain.size() - 8)).value();
  };
  EXPECT_EQ(advice(alike), TextMatching::value_before);
  EXPECT_EQ(advice(two_kinds), TextMatching::anywhere);
  EXPECT_EQ(advice({}), TextMatching::anywhere);
}

TEST(BloomFilter, HashIsXxHash64) {
  EXPECT_EQ(bloom_hash("", 0), 0xEF46DB3751D8E999U);
  EXPECT_EQ(bloom_hash("a", 1), 0xD24EC4F1A98C6E5BU);
  EXPECT_EQ(bloom_hash("abc", 3), 0x44BC2CF5AD770999U);
}

TEST(BloomFilter, SizeIsAPowerOfTwoWithEightBitsAValue) {
  EXPECT_EQ(bloom_filter_bytes(0), 32U);
  EXPECT_EQ(bloom_filter_bytes(33), 64U);
  EXPECT_EQ(bloom_filter_bytes(120'000), 131'072U);
}

TEST(RowGroupRecord, IsReadBackFromAnyPlaceInARow) {
  RowGroupRecord record;
  record.rows = 120'000;
  record.sorted = true;
  ColumnRecord column;
  column.dictionary_bytes = 77;
  column.uncompressed_bytes = std::int64_t{1} << 40;
  column.bloom_bytes = 131'100;
  column.order = BoundaryOrder::ascending;
  column.bounds = {true, true, false, std::string("\0a", 2), "b"};
  column.pages.push_back({1000, 20'000, 20'000, 5, Encoding::rle_dictionary, column.bounds});
  column.pages.push_back({2000, 10, 30, 0, Encoding::plain, {true, false, true, "x", "y"}});
  column.pages.push_back({30, 10, 10, 10, Encoding::plain, {}});
  record.columns = {column, {}};

  std::string detail;
  append_record(record, detail);
  append_record({}, detail);
  append_record(record, detail);
  std::string_view rest = detail;
  EXPECT_EQ(take_record(rest).value(), record);
  EXPECT_EQ(take_record(rest).value(), RowGroupRecord{});
  EXPECT_EQ(take_record(rest).value(), record);
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(record.bytes(), 77 + 3030 + 131'100);
  EXPECT_EQ(column.nulls(), 15);
  EXPECT_EQ(column.values(), 20'040);
}

TEST(RowGroupRecord, RubbishIsAnErrorAndNotACrash) {
  RowGroupRecord record;
  record.columns.resize(3);
  record.columns[1].bounds = {true, true, true, "low", "high"};
  record.columns[1].pages.resize(2);
  std::string detail;
  append_record(record, detail);
  for (std::size_t size = 0; size < detail.size(); ++size) {
    std::string_view cut = std::string_view(detail).substr(0, size);
    EXPECT_EQ(take_record(cut).error().code, "bad_parquet_record") << size;
  }
  std::mt19937 random(8);
  for (int i = 0; i < 2000; ++i) {
    std::string broken = detail;
    broken[random() % broken.size()] = static_cast<char>(random());
    std::string_view rest = broken;
    std::ignore = take_record(rest);
  }
}

}  // namespace
}  // namespace longshore::parquet
