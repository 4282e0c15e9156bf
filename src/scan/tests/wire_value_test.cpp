#include "scan/postgres/wire_value.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "scan/postgres/copy_decoder.h"

namespace longshore {
namespace {

/// numeric's binary form.
std::string numeric(const std::vector<int>& digits, int weight, int sign, int display_scale) {
  std::string bytes;
  const auto add = [&bytes](int value) {
    bytes += static_cast<char>(value >> 8 & 0xFF);
    bytes += static_cast<char>(value & 0xFF);
  };
  for (const int part : {static_cast<int>(digits.size()), weight, sign, display_scale}) add(part);
  for (const int digit : digits) add(digit);
  return bytes;
}

TEST(WireValueTest, NumericText) {
  EXPECT_EQ(numeric_text(numeric({}, 0, 0, 2)), "0.00");
  EXPECT_EQ(numeric_text(numeric({1234, 5600}, 0, 0x4000, 2)), "-1234.56");
  EXPECT_EQ(numeric_text(numeric({1}, 2, 0, 0)), "100000000");
  EXPECT_EQ(numeric_text(numeric({5}, -2, 0, 8)), "0.00000005");
  EXPECT_EQ(numeric_text(numeric({}, 0, 0xC000, 0)), "NaN");
  EXPECT_EQ(numeric_text("short"), "");
  EXPECT_EQ(numeric_text(numeric({1}, 0, 0, 0).substr(0, 9)), "");
}

TEST(WireValueTest, NumericDecimal) {
  Int128 value = 0;
  ASSERT_TRUE(numeric_decimal(numeric({1234, 5600}, 0, 0x4000, 2), 12, 2, value));
  EXPECT_EQ(value, Int128{-123456});
  ASSERT_TRUE(numeric_decimal(numeric({1}, 2, 0, 0), 12, 2, value));
  EXPECT_EQ(value, Int128{10'000'000'000});
  ASSERT_TRUE(numeric_decimal(numeric({}, 0, 0, 0), 5, 5, value));
  EXPECT_EQ(value, Int128{0});
  EXPECT_FALSE(numeric_decimal(numeric({1, 1}, 0, 0, 4), 12, 2, value));     // 1.0001
  EXPECT_FALSE(numeric_decimal(numeric({1, 0, 1}, 0, 0, 8), 12, 2, value));  // 1.00000001
  EXPECT_FALSE(numeric_decimal(numeric({1}, 1, 0, 0), 4, 0, value));         // 10000
  EXPECT_FALSE(numeric_decimal(numeric({9999}, 100, 0, 0), 38, 0, value));   // beyond 128 bits
  EXPECT_FALSE(numeric_decimal(numeric({}, 0, 0xC000, 0), 12, 2, value));    // NaN
  EXPECT_FALSE(numeric_decimal(numeric({1}, 32767, 0, 0), 38, 2, value));
}

TEST(WireValueTest, MalformedValuesAreRefused) {
  ColumnVector number(DataType{.logical = LogicalType::int64});
  EXPECT_FALSE(append_binary(WireKind::int8, "1234", number));
  EXPECT_FALSE(append_text_format(WireKind::int8, "12x", number));
  EXPECT_EQ(number.size(), 0U);
  ColumnVector json(DataType{.logical = LogicalType::json});
  EXPECT_FALSE(append_binary(WireKind::jsonb, std::string_view("\x02{}"), json));
  ColumnVector bytes(DataType{.logical = LogicalType::bytea});
  EXPECT_FALSE(append_text_format(WireKind::bytea, "\\\\x0", bytes));
  EXPECT_FALSE(append_text_format(WireKind::bytea, "\\\\xzz", bytes));
  EXPECT_EQ(bytes.size(), 0U);
  ColumnVector array(DataType{.logical = LogicalType::array, .element = LogicalType::bytea});
  EXPECT_FALSE(append_binary(WireKind::bytea_array, "[\"no hex\"]", array));
}

TEST(WireValueTest, EscapesOfTheTextFormat) {
  EXPECT_EQ(unescape_copy_text(R"(a\tb\nc\\d\re\bf\fg\v\q)"), "a\tb\nc\\d\re\bf\fg\vq");
  EXPECT_EQ(unescape_copy_text("end\\"), "end\\");
}

class CopyDecoderTest : public testing::Test {
 protected:
  static std::vector<WireColumn> columns() {
    return {{.name = "id", .expression = {}, .kind = WireKind::int4, .type = {.logical = LogicalType::int32}},
            {.name = "label", .expression = {}, .kind = WireKind::text, .type = {}}};
  }
  static std::string header() { return std::string("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19); }
  static std::string row() { return std::string("\0\2\0\0\0\4\0\0\0\7\0\0\0\1x", 15); }

  RowBatch batch_{{DataType{.logical = LogicalType::int32}, DataType{}}};
};

TEST_F(CopyDecoderTest, HeaderAndTrailerMayComeAlone) {
  CopyDecoder decoder(CopyFormat::binary, columns(), 2, {0});
  decoder.begin();
  EXPECT_EQ(decoder.decode(header(), batch_).value(), false);
  const std::string message = row();
  EXPECT_EQ(decoder.decode(message, batch_).value(), true);
  EXPECT_EQ(decoder.key().value(), KeyTuple{"7"});
  EXPECT_EQ(decoder.decode(std::string("\377\377", 2), batch_).value(), false);
  decoder.begin();
  EXPECT_EQ(decoder.decode(header() + row(), batch_).value(), true);
  EXPECT_EQ(batch_.row_count(), 2U);
}

TEST_F(CopyDecoderTest, CutBytesAreNeverReadPastTheirEnd) {
  const std::string whole = header() + row();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    if (size == header().size()) continue;
    CopyDecoder decoder(CopyFormat::binary, columns(), 2, {0});
    decoder.begin();
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto result = decoder.decode({exact.data(), exact.size()}, batch_);
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, "postgres_protocol");
  }
}

TEST_F(CopyDecoderTest, TextRows) {
  CopyDecoder decoder(CopyFormat::text, columns(), 2, {1, 0});
  decoder.begin();
  EXPECT_EQ(decoder.decode("7\ta\\tb\n", batch_).value(), true);
  EXPECT_EQ(batch_.column(1).text(0), "a\tb");
  EXPECT_EQ(decoder.key().value(), (KeyTuple{"a\tb", "7"}));
  EXPECT_EQ(decoder.decode("\\N\t\\\\N\n", batch_).value(), true);
  EXPECT_TRUE(batch_.column(0).is_null(1));
  EXPECT_EQ(batch_.column(1).text(1), "\\N");
  EXPECT_EQ(decoder.key().error().code, "source_schema_changed");  // a key that is NULL
  EXPECT_FALSE(decoder.decode("7\n", batch_));
  EXPECT_FALSE(decoder.decode("7\ta\tb\n", batch_));
  EXPECT_FALSE(decoder.decode("7\ta", batch_));
}

}  // namespace
}  // namespace longshore
