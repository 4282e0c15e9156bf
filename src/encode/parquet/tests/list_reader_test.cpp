#include "parquet/list_reader.h"

#include <gtest/gtest.h>

#include "parquet/element_text.h"

namespace longshore::parquet {
namespace {

TEST(ElementText, Dates) {
  EXPECT_EQ(read_date("1970-01-01"), 0);
  EXPECT_EQ(read_date("2024-02-29"), 19'782);
  EXPECT_EQ(read_date("0001-01-01"), -719'162);
  EXPECT_EQ(read_date("9999-12-31"), 2'932'896);
  EXPECT_EQ(read_date("0001-12-31 BC"), -719'163);
  EXPECT_EQ(read_date("10000-01-01"), 2'932'897);
  for (const char* wrong : {"", "infinity", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-32", "2024-1-1",
                            "2024-01-01x", "24-01-01", "0000-01-01"}) {
    EXPECT_EQ(read_date(wrong), std::nullopt) << wrong;
  }
}

TEST(ElementText, Times) {
  EXPECT_EQ(read_time("00:00:00"), 0);
  EXPECT_EQ(read_time("14:20:00.5"), 51'600'500'000);
  EXPECT_EQ(read_time("23:59:59.999999"), 86'399'999'999);
  for (const char* wrong : {"", "14:20", "14:20:00.", "14:60:00", "25:00:00", "14:20:00.1234567"}) {
    EXPECT_EQ(read_time(wrong), std::nullopt) << wrong;
  }
}

TEST(ElementText, Timestamps) {
  EXPECT_EQ(read_timestamp("1970-01-01T00:00:00"), 0);
  EXPECT_EQ(read_timestamp("1970-01-01 00:00:01Z"), 1'000'000);
  EXPECT_EQ(read_timestamp("1970-01-01T02:30:00.000001+02:30"), 1);
  EXPECT_EQ(read_timestamp("1969-12-31T22:00:00-02"), 0);
  EXPECT_EQ(read_timestamp("9999-12-31T23:59:59.999999Z"), 253'402'300'799'999'999);
  EXPECT_EQ(read_timestamp("0001-01-01T00:00:00 BC"), -62'167'219'200'000'000);
  for (const char* wrong : {"", "1970-01-01", "infinity", "1970-01-01T00:00:00X", "9999999-01-01T00:00:00"}) {
    EXPECT_EQ(read_timestamp(wrong), std::nullopt) << wrong;
  }
}

TEST(ElementText, UuidsAndBase64) {
  EXPECT_TRUE(read_uuid("0192F0C4-0000-7000-8000-0000000000ff"));
  EXPECT_EQ(read_uuid("0192f0c4000070008000-0000000000ff0000"), std::nullopt);
  EXPECT_EQ(read_base64(""), "");
  EXPECT_EQ(read_base64("AP8="), std::string("\0\xFF", 2));
  EXPECT_EQ(read_base64("AP8"), std::nullopt);
  EXPECT_EQ(read_base64("AP8!"), std::nullopt);
}

TEST(ElementText, JsonStrings) {
  EXPECT_EQ(unescape_json(R"(a\"\\\/\b\f\n\r\tz)"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(unescape_json(R"(\u0041\u00e9\u65E5\ud83d\ude00)"), "Aé日😀");
  EXPECT_EQ(unescape_json(R"(\ud83d!)"), "\uFFFD!");
  EXPECT_EQ(unescape_json(R"(\ude00)"), "\uFFFD");
  EXPECT_EQ(unescape_json(R"(\x\u12)"), "\uFFFD\uFFFD12");
}

/// A list column's cells as text: `[a,null]`, `null`.
struct ReadLists {
  std::vector<std::string> elements;
  std::size_t rows = 0;
  std::size_t entries = 0;
  std::size_t nulls = 0;
  ColumnFidelity fidelity;
};

ReadLists read_lists(LogicalType element, const std::vector<std::string>& cells) {
  const DataType type{.logical = LogicalType::array, .element = element};
  ColumnVector column(type);
  for (const std::string& cell : cells) column.append_text(cell);
  ListReader reader(leaf_of(type));
  ListLevels levels;
  ReadLists lists;
  reader.read(column, levels, lists.fidelity);
  lists.rows = levels.rows();
  lists.entries = levels.entries();
  lists.nulls = levels.nulls();
  const ColumnVector& elements = reader.elements();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    lists.elements.push_back(elements.physical() == PhysicalType::bytes
                                 ? std::string(elements.text(i))
                                 : std::to_string(elements.values<std::int32_t>()[i]));
  }
  return lists;
}

TEST(ListReader, OneDimension) {
  const ReadLists lists = read_lists(LogicalType::int32, {"[1, 2,null]", "[]", " [ -5 ] "});
  EXPECT_EQ(lists.elements, (std::vector<std::string>{"1", "2", "-5"}));
  EXPECT_EQ(lists.rows, 3U);
  EXPECT_EQ(lists.entries, 5U);
  EXPECT_EQ(lists.nulls, 2U);  // the null and the empty list
  EXPECT_TRUE(lists.fidelity.clean());
}

TEST(ListReader, FurtherDimensionsAreFlattenedAndCounted) {
  const ReadLists lists = read_lists(LogicalType::int32, {"[[1,2],[3,null]]", "[[]]", "[4]"});
  EXPECT_EQ(lists.elements, (std::vector<std::string>{"1", "2", "3", "4"}));
  EXPECT_EQ(lists.rows, 3U);
  EXPECT_EQ(lists.fidelity.replaced, 2);
}

TEST(ListReader, JsonElementsKeepTheirShape) {
  const ReadLists lists = read_lists(LogicalType::json, {R"([{"a": [1, "]"]}, [1,2], "s\"", 5, null, true])"});
  EXPECT_EQ(lists.elements, (std::vector<std::string>{R"({"a": [1, "]"]})", "[1,2]", R"("s\"")", "5", "true"}));
  EXPECT_TRUE(lists.fidelity.clean());
}

TEST(ListReader, WhatDoesNotFitIsNullAndCountedOncePerCell) {
  const ReadLists lists =
      read_lists(LogicalType::date, {R"(["infinity", "2024-01-01", "2024-02-30", 5])", R"(["1970-01-02"])"});
  EXPECT_EQ(lists.elements, (std::vector<std::string>{"19723", "1"}));
  EXPECT_EQ(lists.nulls, 3U);
  EXPECT_EQ(lists.fidelity.replaced, 1);
}

TEST(ListReader, TextTakesAnythingAndSaysSo) {
  const ReadLists lists = read_lists(LogicalType::text, {R"(["a\u00e9", 1.50, true, {"x":1}])", R"(["b"])"});
  EXPECT_EQ(lists.elements, (std::vector<std::string>{"aé", "1.50", "true", R"({"x":1})", "b"}));
  EXPECT_EQ(lists.fidelity.stringified, 1);
}

TEST(ListReader, DecimalsKeepTheirDigits) {
  const ReadLists lists =
      read_lists(LogicalType::decimal, {"[12345678901234567890.12345678901234567890, 1.50, \"NaN\"]"});
  EXPECT_EQ(lists.elements, (std::vector<std::string>{"12345678901234567890.12345678901234567890", "1.50", "NaN"}));
  EXPECT_TRUE(lists.fidelity.clean());
}

TEST(ListReader, WhatIsNoArrayIsANullList) {
  const std::vector<std::string> broken{"",     "5",     "{}",   "[1,]", "[,1]",    "[1 2]", "[1",
                                        "[1]]", "[\"a]", "[1]x", "[[1]", "[{\"a]]", "]",     "[\"\\\"]"};
  const ReadLists lists = read_lists(LogicalType::int32, broken);
  EXPECT_EQ(lists.elements, (std::vector<std::string>{}));
  EXPECT_EQ(lists.rows, broken.size());
  EXPECT_EQ(lists.entries, broken.size());
  EXPECT_EQ(lists.fidelity.replaced, static_cast<std::int64_t>(broken.size()));
}

}  // namespace
}  // namespace longshore::parquet
