#include <cmath>
#include <cstring>
#include <random>

#include "scan/mysql/row_decoder.h"
#include "scan/tests/mysql_fixture.h"
#include "scan/value_text.h"

namespace longshore {
namespace {

using testing::ElementsAre;

using MysqlTypesTest = MysqlTest;

struct TypeCase {
  const char* declared;                                     ///< in the database
  const char* type;                                         ///< of Longshore
  std::vector<std::pair<const char*, const char*>> values;  ///< SQL, and what is read
};

const std::vector<TypeCase>& type_cases() {
  static const std::vector<TypeCase> cases = {
      {"boolean", "bool", {{"TRUE", "true"}, {"0", "false"}}},
      {"tinyint", "int16", {{"-128", "-128"}, {"127", "127"}}},
      {"tinyint unsigned", "int16", {{"255", "255"}}},
      {"smallint", "int16", {{"-32768", "-32768"}}},
      {"smallint unsigned", "int32", {{"65535", "65535"}}},
      {"mediumint unsigned", "int32", {{"16777215", "16777215"}}},
      {"int", "int32", {{"-2147483648", "-2147483648"}, {"2147483647", "2147483647"}}},
      {"int(10) unsigned zerofill", "int64", {{"4294967295", "4294967295"}, {"7", "7"}}},
      {"bigint",
       "int64",
       {{"-9223372036854775808", "-9223372036854775808"}, {"9223372036854775807", "9223372036854775807"}}},
      {"bigint unsigned", "numeric(20,0)", {{"18446744073709551615", "18446744073709551615"}, {"0", "0"}}},
      {"decimal(10,2)", "numeric(10,2)", {{"-12345678.90", "-12345678.90"}, {"0.01", "0.01"}}},
      {"decimal(38,10)",
       "numeric(38,10)",
       {{"1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789"}}},
      {"decimal(65,30)", "numeric", {{"-0.000000000000000000000000000001", "-0.000000000000000000000000000001"}}},
      {"float",
       "float32",
       {{"0.1", "0.1"},
        {"16777217", "16777216"},
        {"3.4028234e38", "3.4028235e+38"},
        {"1.17549435e-38", "1.1754944e-38"}}},
      {"double",
       "float64",
       {{"0.1e0", "0.1"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"-2.2250738585072014e-308", "-2.2250738585072014e-308"}}},
      {"bit", "bool", {{"b'1'", "true"}, {"b'0'", "false"}}},
      {"bit(12)", "int64", {{"b'100000000001'", "2049"}}},
      {"bit(64)", "numeric(20,0)", {{"18446744073709551615", "18446744073709551615"}}},
      {"year", "int16", {{"1901", "1901"}, {"2155", "2155"}, {"0", "0"}}},
      {"char(10)", "text", {{"'Größe  '", "Größe"}, {"''", ""}}},
      {"varchar(40)", "text", {{"'a\\b ''x'' \"y\"  '", "a\\b 'x' \"y\"  "}, {"'😀'", "😀"}}},
      {"varchar(40) CHARACTER SET latin1", "text", {{"'äöü€'", "äöü€"}}},
      {"text CHARACTER SET ucs2", "text", {{"'Ω₿'", "Ω₿"}}},
      {"longtext", "text", {{"repeat('ä', 3)", "äää"}}},
      {"binary(4)", "bytea", {{"x'00ff'", "00ff0000"}}},
      {"varbinary(9)", "bytea", {{"x'00ff27'", "00ff27"}, {"''", ""}}},
      {"longblob", "bytea", {{"x'deadbeef'", "deadbeef"}}},
      {"enum('small','it''s big')", "text", {{"'it''s big'", "it's big"}, {"'small'", "small"}}},
      {"set('a','b','c')", "text", {{"'c,a'", "a,c"}, {"''", ""}}},
      {"json", "json", {{"'{\"a\": [1, \"ä\"]}'", "{\"a\": [1, \"ä\"]}"}}},
      {"date", "date", {{"'1000-01-01'", "1000-01-01"}, {"'9999-12-31'", "9999-12-31"}}},
      {"datetime", "timestamp", {{"'2026-06-06 14:20:00'", "2026-06-06T14:20:00"}}},
      {"datetime(6)", "timestamp", {{"'9999-12-31 23:59:59.999999'", "9999-12-31T23:59:59.999999"}}},
      {"timestamp(6) NULL",
       "timestamptz",
       {{"'1970-01-01 00:00:01.000001'", "1970-01-01T00:00:01.000001Z"},
        {"'2038-01-19 03:14:07'", "2038-01-19T03:14:07Z"}}},
      {"time(6)", "time", {{"'23:59:59.999999'", "23:59:59.999999"}, {"'00:00'", "00:00:00"}}},
      {"uuid", "uuid", {{"'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}}},
      {"inet6", "text", {{"'2001:DB8::1'", "2001:db8::1"}}},
      {"inet4", "text", {{"'10.0.0.1'", "10.0.0.1"}}},
      {"point", "text", {{"ST_GeomFromText('POINT(1 2.5)')", "POINT(1 2.5)"}}},
  };
  return cases;
}

TEST_F(MysqlTypesTest, EveryTypeComesThrough) {
  for (const TypeCase& test : type_cases()) {
    SCOPED_TRACE(test.declared);
    run("CREATE OR REPLACE TABLE t (id int PRIMARY KEY, v " + std::string(test.declared) + ")");
    std::vector<std::string> expected;
    for (const auto& [sql, text] : test.values) {
      run("INSERT INTO t VALUES (" + std::to_string(expected.size()) + ", " + sql + ")");
      expected.emplace_back(text);
    }
    run("INSERT INTO t (id, v) VALUES (99, NULL)");
    const auto source = open();
    const ExportSpec whole = spec(*source, "t", {"id"});
    ASSERT_EQ(whole.columns.size(), 2U);
    EXPECT_EQ(to_string(whole.columns[1].type), test.type);
    const auto reading = read_range(*source, whole, {});
    ASSERT_TRUE(reading) << reading.error().message;
    ASSERT_EQ(reading->rows.size(), expected.size() + 1);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(reading->rows[i][1], expected[i]);
    EXPECT_EQ(reading->rows.back()[1], std::nullopt);
  }
}

TEST_F(MysqlTypesTest, OtherDeclarationsAreReadAsWhatTheySay) {
  run("CREATE TABLE t (id int PRIMARY KEY, flag tinyint(1), t time(3), u char(36), b binary(16), at datetime, f float, "
      "big "
      "bigint unsigned, raw varbinary(9))");
  run("INSERT INTO t VALUES (1, -7, '-838:59:59.5', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', unhex(md5('x')), "
      "'2026-06-06 14:20:00', 0.1, 42, x'00ff')");
  const auto source = open();
  ExportSpec whole = spec(*source, "t", {"id"});
  const auto read_as = [&](const char* column, const char* type) {
    ExportSpec one = whole;
    one.columns = {*whole.dataset.find_column(column)};
    one.columns[0].type = *parse_data_type(type);
    const auto reading = read_range(*source, one, {});
    return reading ? reading->rows[0][0].value_or("NULL") : reading.error().code;
  };
  EXPECT_EQ(read_as("flag", "int16"), "-7");
  EXPECT_EQ(read_as("flag", "bool"), "source_value_mismatch");
  EXPECT_EQ(read_as("t", "time"), "source_value_mismatch");
  EXPECT_EQ(read_as("t", "interval"), "PT-838H-59M-59.5S");
  EXPECT_EQ(read_as("t", "text"), "-838:59:59.500");
  EXPECT_EQ(read_as("u", "uuid"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(read_as("u", "text"), "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11");
  EXPECT_EQ(read_as("b", "uuid"), "9dd4e461-268c-8034-f5c8-564e155c67a6");
  EXPECT_EQ(read_as("at", "timestamptz"), "2026-06-06T14:20:00Z");
  EXPECT_EQ(read_as("f", "float64"), "0.10000000149011612");
  EXPECT_EQ(read_as("f", "text"), "0.1");
  EXPECT_EQ(read_as("big", "int16"), "42");
  EXPECT_EQ(read_as("raw", "text"), "\\x00ff");
  EXPECT_EQ(read_as("id", "numeric(12,2)"), "1.00");
  EXPECT_EQ(read_as("at", "json"), "source_schema_changed");
  EXPECT_EQ(read_as("raw", "uuid"), "source_schema_changed");
}

/// The server writes as many digits as a double needs, and a float's digits are asked for as a double's.
TEST_F(MysqlTypesTest, FloatsOfAllMagnitudesComeThroughExactly) {
  run("CREATE TABLE t (id int PRIMARY KEY, f float, d double)");
  std::mt19937_64 random(20261122);
  std::vector<TextRow> expected;
  std::string sql = "INSERT INTO t VALUES ";
  for (int i = 0; i < 2000; ++i) {
    double d = 0;
    float f = 0;
    do {
      const std::uint64_t bits = random();
      const auto half = static_cast<std::uint32_t>(random());
      std::memcpy(&d, &bits, sizeof d);
      std::memcpy(&f, &half, sizeof f);
    } while (!std::isnormal(d) || !std::isnormal(f));
    expected.push_back({std::to_string(i), float_text(f), float_text(d)});
    sql += (i == 0 ? "(" : ", (") + std::to_string(i) + ", " + float_text(static_cast<double>(f)) + ", " +
           float_text(d) + ")";
  }
  run(sql);
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, expected);
}

TEST_F(MysqlTypesTest, ZeroDatesAreAnErrorOrNull) {
  run("CREATE TABLE t (id int PRIMARY KEY, day date NOT NULL, at datetime NOT NULL)");
  run("INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00 00:00:00')");
  Source settings = source_settings();
  auto source = open(settings);
  ExportSpec whole = spec(*source, "t", {"id"});
  expect_error(read_range(*source, whole, {}), "source_value_mismatch",
               "column \"day\", row with key [\"1\"]: the value '0000-00-00' does not fit date");
  settings.primary += "?zero-dates=null";
  source = open(settings);
  auto reading = read_range(*source, whole, {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_THAT(reading->rows[0], ElementsAre("1", std::nullopt, std::nullopt));
  // A date of which a part is missing is no null.
  run("UPDATE t SET day = '2026-02-00'");
  expect_error(read_range(*source, whole, {}), "source_value_mismatch", "2026-02-00");
  // As a key it has its place before all others.
  run("DELETE FROM t");
  run("INSERT INTO t VALUES (1, '0000-00-00', '2026-01-01'), (2, '2026-02-00', '2026-01-01'), (3, '2026-02-01', "
      "'2026-01-01')");
  run("ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (day)");
  settings.batch_rows = 1;
  source = open(settings);
  whole = spec(*source, "t", {"day"});
  whole.columns.resize(1);
  reading = read_range(*source, whole, {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, (std::vector<TextRow>{{"1"}, {"2"}, {"3"}}));
}

TEST(MysqlIntervalTest, TimesBecomeIso8601) {
  EXPECT_EQ(interval_text("00:00:00"), "PT0S");
  EXPECT_EQ(interval_text("01:02:03"), "PT1H2M3S");
  EXPECT_EQ(interval_text("-00:00:00.500000"), "PT-0.5S");
  EXPECT_EQ(interval_text("838:59:59.999999"), "PT838H59M59.999999S");
  EXPECT_EQ(interval_text("10:00:00.000000"), "PT10H");
  EXPECT_EQ(interval_text("nonsense"), "");
}

}  // namespace
}  // namespace longshore
