#include "scan/sqlite/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scan/tests/reading.h"

namespace longshore {
namespace {

/// The value as the type's canonical text, or `refused`.
std::string as(const char* type, const SqliteValue& value) {
  ColumnVector column(*parse_data_type(type));
  if (!append_sqlite_value(value, column)) {
    EXPECT_EQ(column.size(), 0U);
    return "refused";
  }
  return *shown(column, 0);
}

SqliteValue text(std::string_view value) {
  return SqliteValue::of_text(value);
}
SqliteValue integer(std::int64_t value) {
  return SqliteValue::of(value);
}
SqliteValue real(double value) {
  return SqliteValue::of(value);
}
SqliteValue blob(std::string_view value) {
  return SqliteValue::of_blob(value);
}

TEST(SqliteValueTest, Integers) {
  EXPECT_EQ(as("int64", integer(INT64_MIN)), "-9223372036854775808");
  EXPECT_EQ(as("int64", text("42")), "42");
  EXPECT_EQ(as("int64", real(5.0)), "5");
  EXPECT_EQ(as("int64", real(5.5)), "refused");
  EXPECT_EQ(as("int64", real(1e18)), "refused");
  EXPECT_EQ(as("int64", text("abc")), "refused");
  EXPECT_EQ(as("int64", blob("5")), "refused");
  EXPECT_EQ(as("int32", integer(1LL << 31)), "refused");
  EXPECT_EQ(as("int16", integer(32767)), "32767");
}

TEST(SqliteValueTest, Decimals) {
  EXPECT_EQ(as("numeric(10,2)", real(19.99)), "19.99");
  EXPECT_EQ(as("numeric(10,2)", real(0.1 + 0.2)), "0.30");
  EXPECT_EQ(as("numeric(10,2)", real(0.125)), "refused");
  EXPECT_EQ(as("numeric(10,2)", integer(7)), "7.00");
  EXPECT_EQ(as("numeric(38,2)", text("123456789012345678901234567890.12")), "123456789012345678901234567890.12");
  EXPECT_EQ(as("numeric(3,2)", integer(10)), "refused");
  EXPECT_EQ(as("numeric", text("1.100")), "1.100");
  EXPECT_EQ(as("numeric", text("x")), "refused");
}

TEST(SqliteValueTest, Moments) {
  EXPECT_EQ(as("timestamptz", text("2026-06-06 14:20:00+02:00")), "2026-06-06T12:20:00Z");
  EXPECT_EQ(as("timestamp", text("2026-06-06 14:20")), "2026-06-06T14:20:00");
  EXPECT_EQ(as("timestamptz", integer(1780748400)), "2026-06-06T12:20:00Z");
  EXPECT_EQ(as("timestamp", real(2461198.0)), "refused");
  EXPECT_EQ(as("timestamp", text("yesterday")), "refused");
  EXPECT_EQ(as("timestamp", integer(INT64_MAX)), "refused");
  EXPECT_EQ(as("date", text("2026-06-06")), "2026-06-06");
  EXPECT_EQ(as("date", text("2026-06-06 00:00:00")), "2026-06-06");
  EXPECT_EQ(as("date", text("2026-06-06 12:00:00")), "refused");
  EXPECT_EQ(as("date", integer(86400)), "1970-01-02");
  EXPECT_EQ(as("time", text("14:20")), "14:20:00");
  EXPECT_EQ(as("time", integer(5)), "refused");
}

TEST(SqliteValueTest, TheRest) {
  EXPECT_EQ(as("bool", integer(1)), "true");
  EXPECT_EQ(as("bool", text("FALSE")), "false");
  EXPECT_EQ(as("bool", integer(2)), "refused");
  EXPECT_EQ(as("float64", text("0.5")), "0.5");
  EXPECT_EQ(as("float64", integer(3)), "3");
  EXPECT_EQ(as("float64", text("half")), "refused");
  EXPECT_EQ(as("uuid", blob("0123456789abcdef")), "30313233-3435-3637-3839-616263646566");
  EXPECT_EQ(as("uuid", text("A0EEBC999C0B4EF8BB6D6BB9BD380A11")), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(as("uuid", text("no")), "refused");
  EXPECT_EQ(as("text", integer(-5)), "-5");
  EXPECT_EQ(as("text", real(0.1)), "0.1");
  EXPECT_EQ(as("text", text("")), "");
  EXPECT_EQ(as("bytea", blob(std::string_view("\0\xFF", 2))), "00ff");
  EXPECT_EQ(as("bytea", integer(1)), "refused");
  EXPECT_EQ(as("json", text("{\"a\": 1}")), "{\"a\": 1}");
  EXPECT_EQ(as("json", integer(5)), "5");
  EXPECT_EQ(as("json", blob("{}")), "refused");
  EXPECT_EQ(as("text[]", text("[\"a\"]")), "[\"a\"]");
  EXPECT_EQ(as("text[]", text("{}")), "refused");
}

}  // namespace
}  // namespace longshore
