#include "awkward_rows.h"

#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <utility>

#include "base/digest.h"

namespace longshore {
namespace {

using std::string_literals::operator""s;
using Values = std::vector<AwkwardValue>;

struct AwkwardType {
  std::string name;
  Values values;
};

std::string quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));
}

/// A value whose JSON is its CSV text as a number or word.
AwkwardValue bare(Cell cell, const std::string& text) {
  return {std::move(cell), text, text};
}
/// A value whose JSON is its CSV text as a string.
AwkwardValue string(Cell cell, const std::string& text) {
  return {std::move(cell), text, quoted(text)};
}
AwkwardValue number(std::int64_t value) {
  return bare(value, std::to_string(value));
}

std::string repeat(std::string_view piece, std::size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string utf8(char32_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

Values texts() {
  std::vector<std::string> all{
      "", "plain", "two words", "\"", "\"\"", "with \"quotes\"", "a,b", ";", "|", "a\tb", "line\nfeed", "return\rhere",
      "both\r\nends", "\n", "\r\n", "\t", " leading", "trailing ", " ", "=1+1", "+441234", "-1", "@SUM(A1)", "'quoted",
      "\"=1\"", "NULL", "null", "\\N", "\\.", "\\", "\\\\", "\\n", "nan", "Infinity", "true", "0", "007", "1e5", "0x1F",
      "1,234.50", "2026-02-30", "{\"json\": true}", "[1,2]", "<b>&amp;</b>", "${HOME}", "'; DROP TABLE x; --",
      // Scripts, directions, combinations.
      "naïve café ß ſ", "e\u0301 combining", "Ελληνικά Кириллица", "עברית", "العربية", "a\u202Eevil\u202Cb",
      "\u2067isolated\u2069", "हिन्दी ไทย", "한국어 日本語 中文",
      "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🇦🇼", "zero\u200Bwidth\u200Djoiner", "\uFEFFmark",
      "\u0085\u00A0\u2028\u2029", "\uFFFD\uFFFE\uFFFF", "\uE000",
      // Around the lengths at which the writers change their ways.
      repeat("x", 31), repeat("x", 32), repeat("x", 33), repeat("\"", 40), repeat(",\r\n", 20), repeat("ü", 100),
      repeat("x", 32'767), repeat("x", 32'768), repeat("\"", 32'767), repeat("日", 32'767),
      repeat("\U0001F600", 32'767)};
  std::string controls;
  for (int c = 0; c < 0x20; ++c) controls += static_cast<char>(c);
  all.push_back(controls);
  for (const char c : controls + "\x7F") all.push_back("<"s + c + ">");
  for (char32_t c = 0x80; c < 0xA0; c += 7) all.push_back(utf8(c));
  for (char32_t plane = 0; plane <= 16; ++plane) {
    all.push_back("plane " + utf8(plane << 16 | 0x1041) + utf8(plane << 16 | 0xFFFD));
  }
  Values values;
  for (const std::string& text : all) values.push_back(string(text, text));
  values.push_back({"gr\xFC\xDF"s, "gr\uFFFD\uFFFD", "\"gr\uFFFD\uFFFD\""});
  values.push_back({"\xED\xA0\x80 is no character, \xF0\x9F is half of one"s,
                    "\uFFFD\uFFFD\uFFFD is no character, \uFFFD is half of one",
                    "\"\uFFFD\uFFFD\uFFFD is no character, \uFFFD is half of one\""});
  return values;
}

Values floats() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return {bare(0.0, "0"),
          bare(-0.0, "-0"),
          bare(0.1, "0.1"),
          bare(-1.5, "-1.5"),
          bare(1.0 / 3, "0.3333333333333333"),
          bare(9007199254740993.0, "9007199254740992"),
          bare(1e20, "1e+20"),
          bare(5e-324, "5e-324"),
          bare(2.2250738585072014e-308, "2.2250738585072014e-308"),
          bare(1.7976931348623157e308, "1.7976931348623157e+308"),
          {std::nan(""), "NaN", "null"},
          {kInfinity, "Infinity", "null"},
          {-kInfinity, "-Infinity", "null"}};
}

Values jsons() {
  std::vector<std::string> all{R"({})",
                               R"([])",
                               R"(null)",
                               R"(true)",
                               R"("")",
                               R"("text, with \"quotes\" and \\")",
                               R"(0)",
                               R"(-0.0)",
                               R"(12345678901234567890.000000000000000001)",
                               R"(1e400)",
                               R"({"a": [1, {"b": [[], {}, [null]]}], "": "é😀"})",
                               R"({"control": "\u0000\u001f", "half": "\ud83d", "whole": "\ud83d\ude00"})",
                               R"({"twice": 1, "twice": 2})",
                               "{\n  \"pretty\": [\n    1,\r\n    2\n  ]\n}",
                               " [ 1 , 2 ] ",
                               repeat("[", 200) + repeat("]", 200),
                               "\"" + repeat("long ", 7000) + "\""};
  Values values;
  for (const std::string& json : all) values.push_back({json, json, json});
  values.push_back({"no json: {"s, "no json: {", "\"no json: {\""});
  return values;
}

Values arrays() {
  Values values;
  for (const char* json : {"[]", "[null]", R"(["a,b","\"q\"",null,"","😀","=1"])", "[[1,2],[3,null]]",
                           "[9223372036854775807,-9223372036854775808]", R"([{"a":[1]}])"}) {
    values.push_back({std::string(json), json, json});
  }
  return values;
}

Values byte_strings() {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  Values values;
  for (const std::string& bytes : {""s, "\0"s, "=1"s, "\xFF\xFE\xFD"s, all, repeat(all, 200)}) {
    values.push_back(string(bytes, base64_encode(bytes)));
  }
  return values;
}

Values uuids() {
  return {string(std::string(16, '\0'), "00000000-0000-0000-0000-000000000000"),
          string(std::string(16, '\xFF'), "ffffffff-ffff-ffff-ffff-ffffffffffff"),
          string("\x01\x92\xF0\xC4\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\xFF"s,
                 "0192f0c4-0000-7000-8000-0000000000ff")};
}

constexpr std::int64_t kYear1 = -62'135'596'800'000'000;
constexpr std::int64_t kYear10000 = 253'402'300'800'000'000;

/// `suffix`: `Z`, or nothing for local times.
Values timestamps(const std::string& suffix) {
  return {string(INT64_C(0), "1970-01-01T00:00:00" + suffix),
          string(INT64_C(-1), "1969-12-31T23:59:59.999999" + suffix),
          string(INT64_C(1780755600500000), "2026-06-06T14:20:00.500000" + suffix),
          string(kYear1, "0001-01-01T00:00:00" + suffix),
          string(kYear1 - 1, "0001-12-31T23:59:59.999999" + suffix + " BC"),
          string(kYear10000 - 1, "9999-12-31T23:59:59.999999" + suffix),
          string(kYear10000, "10000-01-01T00:00:00" + suffix),
          string(kTimestampInfinity, "infinity"),
          string(kTimestampMinusInfinity, "-infinity")};
}

Values dates() {
  return {string(INT64_C(0), "1970-01-01"),
          string(INT64_C(11016), "2000-02-29"),
          string(INT64_C(-719162), "0001-01-01"),
          string(INT64_C(-719163), "0001-12-31 BC"),
          string(INT64_C(2932896), "9999-12-31"),
          string(INT64_C(2932897), "10000-01-01"),
          string(std::int64_t{kDateInfinity}, "infinity"),
          string(std::int64_t{kDateMinusInfinity}, "-infinity")};
}

Values decimals() {
  return {bare(int128("0"), "0.0000000000"),
          bare(int128("1"), "0.0000000001"),
          bare(int128("-1"), "-0.0000000001"),
          bare(int128("123456789012345678"), "12345678.9012345678"),
          bare(int128("99999999999999999999999999999999999999"), "9999999999999999999999999999.9999999999"),
          bare(int128("-99999999999999999999999999999999999999"), "-9999999999999999999999999999.9999999999")};
}

Values unbounded_decimals() {
  const std::string large = repeat("1234567890", 100) + "." + repeat("0", 500) + "1";
  return {bare("0"s, "0"),
          bare("-0.00"s, "-0.00"),
          bare(large, large),
          bare("-" + large, "-" + large),
          {"NaN"s, "NaN", "null"},
          {"Infinity"s, "Infinity", "null"},
          {"-Infinity"s, "-Infinity", "null"}};
}

const std::vector<AwkwardType>& types() {
  static const std::vector<AwkwardType> all{
      {"int64", {number(0), number(-1), number(9'007'199'254'740'993), number(INT64_MIN), number(INT64_MAX)}},
      {"text", texts()},
      {"bool", {bare(true, "true"), bare(false, "false")}},
      {"int16", {number(0), number(-32768), number(32767)}},
      {"int32", {number(0), number(INT32_MIN), number(INT32_MAX)}},
      {"float32",
       {bare(0.5, "0.5"),
        bare(double{0.1F}, "0.1"),
        bare(1e-45, "1e-45"),
        bare(double{3.4028235e38F}, "3.4028235e+38"),
        {std::nan(""), "NaN", "null"},
        {-std::numeric_limits<double>::infinity(), "-Infinity", "null"}}},
      {"float64", floats()},
      {"numeric(38,10)", decimals()},
      {"numeric", unbounded_decimals()},
      {"uuid", uuids()},
      {"date", dates()},
      {"time",
       {string(INT64_C(0), "00:00:00"), string(INT64_C(500000), "00:00:00.500000"),
        string(INT64_C(86399999999), "23:59:59.999999"), string(INT64_C(86400000000), "24:00:00")}},
      {"timestamp", timestamps("")},
      {"timestamptz", timestamps("Z")},
      {"interval", {string("PT0S"s, "PT0S"), string("-P1Y2M3DT4H5M6.789S"s, "-P1Y2M3DT4H5M6.789S")}},
      {"json", jsons()},
      {"bytea", byte_strings()},
      {"text[]", arrays()},
      {"int64[]", arrays()},
  };
  return all;
}

}  // namespace

std::vector<Row> AwkwardTable::rows() const {
  std::vector<Row> all;
  for (const auto& row : cells) {
    Row& values = all.emplace_back();
    for (const AwkwardValue& value : row) values.push_back(value.cell);
  }
  return all;
}

AwkwardTable make_awkward_table(std::size_t columns, std::size_t rows) {
  AwkwardTable table;
  for (std::size_t c = 0; c < columns; ++c) {
    table.columns.push_back("c" + std::to_string(c) + ":" + types()[c % types().size()].name);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    auto& row = table.cells.emplace_back();
    for (std::size_t c = 0; c < columns; ++c) {
      // Each column is a step further than the one before, so that a row has values of all kinds; NULLs come in some
      // rows only, so that there are batches without any.
      const Values& values = types()[c % types().size()].values;
      const bool null = r == 0 || (r / 32 % 2 == 0 && (r * 31 + c * 17) % 11 == 0);
      row.push_back(null ? AwkwardValue{kNull, "", "null"} : values[(r + c / types().size() * 7) % values.size()]);
    }
  }
  return table;
}

std::size_t awkward_type_count() {
  return types().size();
}

}  // namespace longshore
