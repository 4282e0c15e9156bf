#include "catalog/literal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longshore {
namespace {

/// The canonical text of a JSON text read as a type, or `!` and the error's code.
std::string read(const std::string& json, const char* type) {
  const auto parsed = parse_json(json);
  if (!parsed) return "!" + parsed.error().code;
  const auto value = read_literal(*parsed, *parse_data_type(type));
  return value ? value->text : "!" + value.error().code;
}

TEST(Literal, IntegersInRange) {
  EXPECT_EQ(read("42", "int64"), "42");
  EXPECT_EQ(read("\"9007199254740993\"", "int64"), "9007199254740993");
  EXPECT_EQ(read("9223372036854775807", "int64"), "9223372036854775807");
  EXPECT_EQ(read("-9223372036854775808", "int64"), "-9223372036854775808");
  EXPECT_EQ(read("9223372036854775808", "int64"), "!bad_value");
  EXPECT_EQ(read("32768", "int16"), "!bad_value");
  EXPECT_EQ(read("-32768", "int16"), "-32768");
  EXPECT_EQ(read("2147483648", "int32"), "!bad_value");
  EXPECT_EQ(read("1.0", "int64"), "!bad_value");
  EXPECT_EQ(read("1e3", "int64"), "!bad_value");
  EXPECT_EQ(read("\"\"", "int64"), "!bad_value");
  EXPECT_EQ(read("\" 1\"", "int64"), "!bad_value");
  EXPECT_EQ(read("true", "int64"), "!wrong_type");
  EXPECT_EQ(read("-0", "int32"), "0");
}

TEST(Literal, DecimalsKeepEveryDigit) {
  EXPECT_EQ(read("0.1", "numeric"), "0.1");
  EXPECT_EQ(read("12345678901234567890.123456789012345678901", "numeric"),
            "12345678901234567890.123456789012345678901");
  EXPECT_EQ(read("\"12345678901234567890.123456789012345678901\"", "numeric(40,21)"),
            "12345678901234567890.123456789012345678901");
  EXPECT_EQ(read("-0.00", "numeric"), "0");
  EXPECT_EQ(read("10.500", "numeric"), "10.5");
  EXPECT_EQ(read("1200", "numeric"), "1200");
  EXPECT_EQ(read("1.2e3", "numeric"), "1200");
  EXPECT_EQ(read("1.2345e+2", "numeric"), "123.45");
  EXPECT_EQ(read("12e-4", "numeric"), "0.0012");
  EXPECT_EQ(read("\"-0012.30\"", "numeric"), "-12.3");
  EXPECT_EQ(read("1e999999999", "numeric"), "!bad_value");
  EXPECT_EQ(read("\"1e1001\"", "numeric"), "!bad_value");
  EXPECT_EQ(read("\"" + std::string(1001, '9') + "\"", "numeric"), "!bad_value");
  for (const char* bad : {"\"\"", "\"-\"", "\"1.\"", "\".5\"", "\"+1\"", "\"1e\"", "\"1e+\"", "\"1e+-2\"", "\"1 \"",
                          "\"NaN\"", "\"0x1\"", "\"1,5\""}) {
    EXPECT_EQ(read(bad, "numeric"), "!bad_value") << bad;
  }
}

TEST(Literal, DecimalValuesAreNotRoundedToTheColumn) {
  const auto value = read_literal("0.125", *parse_data_type("numeric(12,2)"));
  ASSERT_TRUE(value);
  EXPECT_EQ(value->text, "0.125");
  EXPECT_EQ(to_string(value->type), "numeric");
}

TEST(Literal, Floats) {
  EXPECT_EQ(read("0.1", "float64"), "0.1");
  EXPECT_EQ(read("1e400", "float64"), "!bad_value");
  EXPECT_EQ(read("1e39", "float32"), "!bad_value");
  EXPECT_EQ(read("-0.0", "float64"), "0");
  EXPECT_EQ(read("\"nan\"", "float64"), "!bad_value");
  EXPECT_EQ(read("\"inf\"", "float64"), "!bad_value");
}

TEST(Literal, Times) {
  EXPECT_EQ(read("\"2026-06-06T16:20:00+02:00\"", "timestamptz"), "2026-06-06T14:20:00Z");
  EXPECT_EQ(read("\"2026-06-06T14:20:00.120Z\"", "timestamptz"), "2026-06-06T14:20:00.120000Z");
  EXPECT_EQ(read("\"2026-06-06\"", "timestamptz"), "2026-06-06T00:00:00Z");
  EXPECT_EQ(read("\"2026-06-06T14:20:00\"", "timestamptz"), "!bad_value");
  EXPECT_EQ(read("\"2026-06-06T14:20:00\"", "timestamp"), "2026-06-06T14:20:00Z");
  EXPECT_EQ(read("\"2026-06-06T14:20:00.1234567Z\"", "timestamptz"), "!bad_value");
  EXPECT_EQ(read("\"2026-06-06T14:20:00.123456000Z\"", "timestamptz"), "2026-06-06T14:20:00.123456Z");
  EXPECT_EQ(read("\"2026-02-30T00:00:00Z\"", "timestamptz"), "!bad_value");
  EXPECT_EQ(read("1767225600", "timestamptz"), "!wrong_type");
  EXPECT_EQ(read("\"2026-06-06\"", "date"), "2026-06-06");
  EXPECT_EQ(read("\"2026-06-06T00:00:00Z\"", "date"), "2026-06-06");
  EXPECT_EQ(read("\"2026-06-06T00:00:01Z\"", "date"), "!bad_value");
  EXPECT_EQ(read("\"14:20:00\"", "time"), "14:20:00");
  EXPECT_EQ(read("\"14:20:00.5\"", "time"), "14:20:00.500000");
  EXPECT_EQ(read("\"25:00:00\"", "time"), "!bad_value");
  EXPECT_EQ(read("\"23:59:60\"", "time"), "!bad_value");
}

TEST(Literal, TheRest) {
  EXPECT_EQ(read("true", "bool"), "true");
  EXPECT_EQ(read("\"true\"", "bool"), "!wrong_type");
  EXPECT_EQ(read("\"0192F0C4-7A5B-7C3D-8E9F-0123456789AB\"", "uuid"), "0192f0c4-7a5b-7c3d-8e9f-0123456789ab");
  EXPECT_EQ(read("\"0192f0c4\"", "uuid"), "!bad_value");
  EXPECT_EQ(read("\"Łódź '; drop table x\"", "text"), "Łódź '; drop table x");
  EXPECT_EQ(read("\"\"", "text"), "");
  EXPECT_EQ(read("\"a\\u0000b\"", "text"), "!bad_value");
  EXPECT_EQ(read("5", "text"), "!wrong_type");
  EXPECT_EQ(read("null", "text"), "!wrong_type");
}

TEST(Literal, Order) {
  const auto order = [](const char* a, const char* b, const char* type) {
    return compare_literals(*read_literal(a, *parse_data_type(type)), *read_literal(b, *parse_data_type(type)));
  };
  EXPECT_TRUE(order("9", "10", "int64") < 0);
  EXPECT_TRUE(order("-9", "-10", "int64") > 0);
  EXPECT_TRUE(order("-1", "1", "int64") < 0);
  EXPECT_TRUE(order("0", "-0.0", "numeric") == 0);
  EXPECT_TRUE(order("0.1", "0.09", "numeric") > 0);
  EXPECT_TRUE(order("0.001", "0", "numeric") > 0);
  EXPECT_TRUE(order("1.50", "1.5", "numeric") == 0);
  EXPECT_TRUE(order("1e20", "1e3", "float64") > 0);
  EXPECT_TRUE(order("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z", "timestamptz") > 0);
  EXPECT_TRUE(order("2026-01-01", "2026-01-02", "date") < 0);
  EXPECT_TRUE(order("09:00:00", "10:00:00", "time") < 0);
  EXPECT_TRUE(order("a", "b", "text") == std::partial_ordering::unordered);
}

TEST(JsonDocument, LimitsAndPointers) {
  EXPECT_EQ(parse_json(std::string(kMaxJsonBytes + 1, ' ')).error().code, "request_too_large");
  EXPECT_EQ(parse_json(std::string(17, '[') + std::string(17, ']')).error().code, "malformed_request");
  EXPECT_TRUE(parse_json(std::string(16, '[') + std::string(16, ']')));
  std::string many = "[0";
  for (std::size_t i = 0; i < kMaxJsonValues; ++i) many += ",0";
  EXPECT_EQ(parse_json(many + "]").error().code, "request_too_large");
  for (const char* bad : {"", " ", "{", "{}}", "{} x", "[1,]", "{'a':1}", "{\"a\":01}", "nul", "\"\\ud800\"",
                          "\"\xFF\"", "// c\n{}", "NaN", "{\"a\":1 \"b\":2}"}) {
    EXPECT_EQ(parse_json(bad).error().code, "malformed_request") << bad;
  }
  EXPECT_TRUE(parse_json(" {} \r\n\t"));
  EXPECT_EQ(json_pointer("/filters", "a/b~c"), "/filters/a~1b~0c");
  EXPECT_THAT(duplicate_members(*parse_json(R"({"a":{"b":1,"b":2},"c":[{"d":1,"d":1}],"a":3})")),
              testing::ElementsAre("/a/b", "/c/0/d", "/a"));
}

}  // namespace
}  // namespace longshore
