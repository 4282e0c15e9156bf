#include <algorithm>

#include "scan/postgres/copy_decoder.h"
#include "scan/postgres/schema_reader.h"
#include "scan/sql_text.h"
#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

/// A column's SQL type, and values as SQL with what they are to be exported as.
struct TypeCase {
  std::string sql_type;
  std::string exported;  ///< the DataType's name
  std::vector<std::pair<std::string, std::string>> values;
};

const std::vector<TypeCase>& type_cases() {
  static const std::vector<TypeCase> cases = {
      {"smallint", "int16", {{"-32768", "-32768"}, {"32767", "32767"}, {"0", "0"}}},
      {"integer", "int32", {{"-2147483648", "-2147483648"}, {"2147483647", "2147483647"}}},
      {"bigint",
       "int64",
       {{"-9223372036854775808", "-9223372036854775808"}, {"9223372036854775807", "9223372036854775807"}}},
      {"numeric(12,2)",
       "numeric(12,2)",
       {{"0", "0.00"},
        {"-0.01", "-0.01"},
        {"9999999999.99", "9999999999.99"},
        {"100000", "100000.00"},
        {"0.5", "0.50"}}},
      {"numeric(38,10)",
       "numeric(38,10)",
       {{"9999999999999999999999999999.9999999999", "9999999999999999999999999999.9999999999"},
        {"-0.0000000001", "-0.0000000001"},
        {"12345678901234567890", "12345678901234567890.0000000000"}}},
      {"numeric(38,0)",
       "numeric(38,0)",
       {{"99999999999999999999999999999999999999", "99999999999999999999999999999999999999"},
        {"-10000000000000000000000000000000000000", "-10000000000000000000000000000000000000"}}},
      {"numeric(4,4)", "numeric(4,4)", {{"0.9999", "0.9999"}, {"-0.0001", "-0.0001"}}},
      {"numeric",
       "numeric",
       {{"1.10", "1.10"},
        {"'NaN'", "NaN"},
        {"'Infinity'", "Infinity"},
        {"'-Infinity'", "-Infinity"},
        {"-0.000000000000000000000000000000000000000000001", "-0.000000000000000000000000000000000000000000001"},
        {"1e40", "10000000000000000000000000000000000000000"},
        {"0", "0"},
        {"0.00", "0.00"},
        {"100000000", "100000000"}}},
      {"numeric(50,2)",
       "numeric(50,2)",
       {{"1e47", "100000000000000000000000000000000000000000000000.00"}, {"0.01", "0.01"}}},
      {"numeric(5,-2)", "numeric", {{"1234567", "1234600"}}},
      {"numeric(2,5)", "numeric", {{"0.00012", "0.00012"}}},
      {"real",
       "float32",
       {{"0.1", "0.1"},
        {"'NaN'", "NaN"},
        {"'-Infinity'", "-Infinity"},
        {"3.4028235e38", "3.4028235e+38"},
        {"1e-45", "1e-45"}}},
      {"double precision",
       "float64",
       {{"0.1", "0.1"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"5e-324", "5e-324"},
        {"'Infinity'", "Infinity"},
        {"'-0'", "-0"}}},
      {"boolean", "bool", {{"true", "true"}, {"false", "false"}}},
      {"text",
       "text",
       {{"''", ""},
        {"E'tab\\tnew\\nline\\rback\\\\slash \\b\\f' || chr(11)", "tab\tnew\nline\rback\\slash \b\f\v"},
        {"'\\N'", "\\N"},
        {"'Größe 猫 🐈'", "Größe 猫 🐈"},
        {"repeat('x', 100000)", std::string(100000, 'x')}}},
      {"varchar(40)", "text", {{"'abc '", "abc "}}},
      {"char(5)", "text", {{"'ab'", "ab   "}}},
      {"name", "text", {{"'a_name'", "a_name"}}},
      {"\"char\"", "text", {{"'q'", "q"}}},
      {"uuid", "uuid", {{"'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}}},
      {"date",
       "date",
       {{"'2026-06-06'", "2026-06-06"},
        {"'1969-12-31'", "1969-12-31"},
        {"'infinity'", "infinity"},
        {"'-infinity'", "-infinity"},
        {"'4713-01-01 BC'", "4713-01-01 BC"},
        {"'5874897-12-31'", "5874897-12-31"},
        {"'0001-01-01'", "0001-01-01"}}},
      {"time", "time", {{"'00:00'", "00:00:00"}, {"'23:59:59.999999'", "23:59:59.999999"}, {"'24:00'", "24:00:00"}}},
      {"timetz", "text", {{"'12:00:00.5+02'", "12:00:00.5+02"}}},
      {"timestamp",
       "timestamp",
       {{"'2026-06-06 14:20:00.000001'", "2026-06-06T14:20:00.000001"},
        {"'infinity'", "infinity"},
        {"'-infinity'", "-infinity"},
        {"'4713-01-01 00:00:00 BC'", "4713-01-01T00:00:00 BC"},
        {"'1969-12-31 23:59:59.5'", "1969-12-31T23:59:59.500000"},
        {"'294246-12-31 23:59:59.999999'", "294246-12-31T23:59:59.999999"}}},
      {"timestamptz",
       "timestamptz",
       {{"'2026-06-06 14:20:00+02'", "2026-06-06T12:20:00Z"},
        {"'infinity'", "infinity"},
        {"'12345-01-02 03:04:05.6Z'", "12345-01-02T03:04:05.600000Z"}}},
      {"interval",
       "interval",
       {{"'1 year 2 months 3 days 04:05:06.7'", "P1Y2M3DT4H5M6.7S"}, {"'0'", "PT0S"}, {"'-1 day'", "P-1D"}}},
      {"json", "json", {{"'{\"b\": 1,  \"a\": \"\\u00e9\"}'", "{\"b\": 1,  \"a\": \"\\u00e9\"}"}, {"'null'", "null"}}},
      {"jsonb", "json", {{"'{\"b\":1,\"a\":[true,null]}'", "{\"a\": [true, null], \"b\": 1}"}}},
      {"bytea", "bytea", {{"'\\x'", ""}, {"'\\x00ff0a5c'", "00ff0a5c"}}},
      {"inet",
       "text",
       {{"'192.168.0.1'", "192.168.0.1"}, {"'10.1.0.0/16'", "10.1.0.0/16"}, {"'2001:db8::1'", "2001:db8::1"}}},
      {"cidr", "text", {{"'10.1.0.0/16'", "10.1.0.0/16"}, {"'192.168.0.1/32'", "192.168.0.1/32"}}},
      {"macaddr", "text", {{"'08:00:2b:01:02:03'", "08:00:2b:01:02:03"}}},
      {"money", "text", {{"12.5", "$12.50"}}},
      {"bit(3)", "text", {{"B'101'", "101"}}},
      {"int4range", "text", {{"'[1,5)'", "[1,5)"}}},
      {"point", "text", {{"'(1,2.5)'", "(1,2.5)"}}},
      {"xml", "text", {{"'<a>b</a>'", "<a>b</a>"}}},
      {"tsvector", "text", {{"'a fat cat'", "'a' 'cat' 'fat'"}}},
      {"{}.mood", "text", {{"'so ''so'''", "so 'so'"}}},
      {"{}.pair", "text", {{"ROW(1,'x y')", "(1,\"x y\")"}}},
      {"{}.cents", "numeric(10,2)", {{"12.5", "12.50"}}},
      {"{}.positive", "int32", {{"5", "5"}}},
      {"integer[]",
       "int32[]",
       {{"'{1,NULL,3}'", "[1,null,3]"}, {"ARRAY[]::int[]", "[]"}, {"'{{1,2},{3,4}}'", "[[1,2],[3,4]]"}}},
      {"text[]", "text[]", {{"ARRAY['a\"b', NULL, E'new\\nline', '']", "[\"a\\\"b\",null,\"new\\nline\",\"\"]"}}},
      {"numeric(10,2)[]", "numeric[]", {{"'{1.5,NaN}'", "[1.50,\"NaN\"]"}}},
      {"boolean[]", "bool[]", {{"'{t,f,NULL}'", "[true,false,null]"}}},
      {"uuid[]",
       "uuid[]",
       {{"'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", "[\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"]"}}},
      {"timestamptz[]",
       "timestamptz[]",
       {{"'{\"2026-06-06 14:20:00+02\",infinity}'", "[\"2026-06-06T12:20:00Z\",\"infinity\"]"}}},
      {"date[]", "date[]", {{"'{2026-06-06}'", "[\"2026-06-06\"]"}}},
      {"jsonb[]", "json[]", {{"ARRAY['{\"a\": 1}'::jsonb]", "[{\"a\": 1}]"}}},
      {"bytea[]",
       "bytea[]",
       {{"ARRAY['\\x00ff'::bytea, NULL, '\\x'::bytea]", "[\"AP8=\",null,\"\"]"},
        {"ARRAY[['\\x01'::bytea],['\\x02'::bytea]]", "[[\"AQ==\"],[\"Ag==\"]]"}}},
      {"inet[]", "text[]", {{"'{10.0.0.1}'", "[\"10.0.0.1\"]"}}},
      {"{}.mood[]", "text[]", {{"'{ok}'", "[\"ok\"]"}}},
  };
  return cases;
}

class PostgresTypesTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    run("CREATE TYPE {}.mood AS ENUM ('ok', 'so ''so''')");
    run("CREATE TYPE {}.pair AS (a int, b text)");
    run("CREATE DOMAIN {}.amount AS numeric(10,2)");
    run("CREATE DOMAIN {}.cents AS {}.amount NOT NULL DEFAULT 0");
    run("CREATE DOMAIN {}.positive AS int CHECK (VALUE > 0)");
  }

  /// A table `t(id, value)` with the case's values, and NULL as the last row.
  void make_table(const TypeCase& type) {
    std::string sql = "DROP TABLE IF EXISTS {}.t; CREATE TABLE {}.t (id int PRIMARY KEY, value " + type.sql_type + ");";
    int id = 0;
    for (const auto& [value, expected] : type.values) {
      sql += "INSERT INTO {}.t VALUES (" + std::to_string(++id) + ", " + value + ");";
    }
    if (type.sql_type != "{}.cents") sql += "INSERT INTO {}.t VALUES (" + std::to_string(++id) + ", NULL)";
    run(sql);
  }

  /// Decodes a statement in one of the formats.
  Result<Reading> decode(const std::string& table, const std::vector<DataType>& declared, CopyFormat format) {
    TRY(auto connection, PostgresConnection::open({.connection_string = dsn(), .application_name = "test"}, {}));
    TRY(const auto columns, read_columns(*connection, relation(table), {}));
    std::vector<WireColumn> wire;
    std::vector<std::string> expressions;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      TRY(WireColumn column, wire_column(columns[i], i < declared.size() ? declared[i] : exported_type(columns[i])));
      expressions.push_back(column.expression);
      wire.push_back(std::move(column));
    }
    std::vector<DataType> types;
    types.reserve(wire.size());
    for (const WireColumn& column : wire) types.push_back(column.type);
    RowBatch batch(types);
    CopyDecoder decoder(format, wire, wire.size(), {0});
    decoder.begin();
    CHECK_OK(connection->send_copy("COPY (SELECT " + join(expressions, ", ") + " FROM " +
                                       quote_relation(relation(table)) + " ORDER BY 1) TO STDOUT (FORMAT " +
                                       (format == CopyFormat::binary ? "binary)" : "text)"),
                                   {}));
    while (true) {
      TRY(const bool more, connection->next_copy_row({}));
      if (!more) break;
      CHECK_OK(decoder.decode(connection->last_row(), batch));
    }
    Reading reading;
    append_rows(batch, reading);
    return reading;
  }
};

TEST_F(PostgresTypesTest, EveryTypeComesThroughBothFormats) {
  const auto source = open();
  for (const TypeCase& type : type_cases()) {
    SCOPED_TRACE(type.sql_type);
    make_table(type);
    const ExportSpec whole = spec(*source, "t", {"id"});
    ASSERT_EQ(whole.columns.size(), 2U);
    EXPECT_EQ(to_string(whole.columns[1].type), type.exported);
    std::vector<TextRow> expected;
    expected.reserve(type.values.size() + 1);
    for (const auto& [sql, text] : type.values) expected.push_back({std::to_string(expected.size() + 1), text});
    if (type.sql_type != "{}.cents") expected.push_back({std::to_string(expected.size() + 1), std::nullopt});
    for (const CopyFormat format : {CopyFormat::binary, CopyFormat::text}) {
      SCOPED_TRACE(format == CopyFormat::binary ? "binary" : "text");
      const auto decoded = decode("t", {}, format);
      ASSERT_TRUE(decoded) << decoded.error().message;
      EXPECT_EQ(decoded->rows, expected);
    }
    const auto scanned = read_range(*source, whole, {});
    ASSERT_TRUE(scanned) << scanned.error().message;
    EXPECT_EQ(scanned->rows, expected);
  }
}

TEST_F(PostgresTypesTest, AnyTypeMayBeDeclaredText) {
  const auto source = open();
  for (const TypeCase& type : type_cases()) {
    SCOPED_TRACE(type.sql_type);
    make_table(type);
    ExportSpec whole = spec(*source, "t", {"id"});
    whole.columns[1].type = DataType{};
    const auto scanned = read_range(*source, whole, {});
    ASSERT_TRUE(scanned) << scanned.error().message;
    // PostgreSQL's own cast, but for the two whose cast differs from what psql shows.
    const std::string value = type.sql_type == "char(5)" ? "rpad(value, 5)"
                              : type.sql_type == "inet"  ? "abbrev(value)"
                                                         : "value::text";
    const bool interval = type.sql_type == "interval";
    const auto asked = ask(std::string(interval ? "SET IntervalStyle = 'iso_8601'; " : "") + "SELECT id::text, " +
                           value + " FROM {}.t ORDER BY t.id");
    EXPECT_EQ(scanned->rows, asked);
  }
}

TEST_F(PostgresTypesTest, NumericsOfEveryShapeAgreeWithPostgresText) {
  // Digits of all lengths before and after the point, around the borders of the base-10000 digits.
  run("CREATE TABLE {}.t (id int PRIMARY KEY, free numeric, fixed numeric(30,8))");
  run(R"(INSERT INTO {}.t SELECT i, round(v, scale), round(v, 8) FROM (
           SELECT i, (i % 13) AS scale,
                  (CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END)
                    * ((('x' || substr(md5(i::text), 1, 12))::bit(48)::bigint)::numeric / power(10::numeric, i % 17)) AS v
             FROM generate_series(1, 3000) i) numbers)");
  const auto expected = ask("SELECT id::text, free::text, fixed::text FROM {}.t ORDER BY t.id");
  for (const CopyFormat format : {CopyFormat::binary, CopyFormat::text}) {
    const auto decoded = decode("t", {}, format);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->rows, expected);
  }
}

TEST_F(PostgresTypesTest, TimestampsAgreeWithPostgresText) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, at timestamptz, day date)");
  run(R"(INSERT INTO {}.t SELECT i, t, t::date FROM (
           SELECT i, timestamptz '1999-12-31 23:59:59.999999Z' + (i - 2500) * interval '97 days 13:17:11.000123' AS t
             FROM generate_series(1, 5000) i) moments)");
  const auto expected = ask(R"(SELECT id::text, to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), to_char(day, 'YYYY-MM-DD')
                                FROM {}.t ORDER BY t.id)");
  for (const CopyFormat format : {CopyFormat::binary, CopyFormat::text}) {
    const auto decoded = decode("t", {}, format);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->rows, expected);
  }
}

TEST_F(PostgresTypesTest, ValuesThatDoNotFitNameColumnAndKey) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, amount numeric, big bigint, at timestamp)");
  run("INSERT INTO {}.t VALUES (1, 1.25, 5, '2026-01-01'), (2, 1.255, 3000000000, '294276-12-31')");
  const auto type = [](const char* name) { return *parse_data_type(name); };
  for (const CopyFormat format : {CopyFormat::binary, CopyFormat::text}) {
    expect_error(decode("t", {type("int32"), type("numeric(10,2)")}, format), "source_value_mismatch",
                 "column \"amount\", row with key [\"2\"]: the value '1.255' does not fit numeric(10,2)");
    expect_error(decode("t", {type("int32"), type("numeric"), type("int32")}, format), "source_value_mismatch",
                 "column \"big\", row with key [\"2\"]: the value '3000000000' does not fit int32");
    expect_error(decode("t", {}, format), "source_value_mismatch", "column \"at\", row with key [\"2\"]");
  }
}

TEST_F(PostgresTypesTest, FormatIsChosenByCost) {
  const auto cheapest = [](const std::vector<WireKind>& kinds) {
    std::vector<WireColumn> columns;
    columns.reserve(kinds.size());
    for (const WireKind kind : kinds) columns.push_back({.name = {}, .expression = {}, .kind = kind, .type = {}});
    return choose_copy_format(columns);
  };
  EXPECT_EQ(cheapest({WireKind::int8, WireKind::timestamp, WireKind::text}), CopyFormat::binary);
  EXPECT_EQ(cheapest({WireKind::boolean, WireKind::numeric}), CopyFormat::text);
}

TEST_F(PostgresTypesTest, TextFormatScanReadsTheSame) {
  // Booleans are cheaper as text, so this goes through the text decoder from end to end, key included.
  run("CREATE TABLE {}.t (id numeric(10,0) PRIMARY KEY, a bool, b bool, c bool, note numeric)");
  run("INSERT INTO {}.t SELECT i, i % 2 = 0, i % 3 = 0, NULL, i / 7.0 FROM generate_series(1, 500) i");
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  Source small = source_settings();
  small.batch_rows = 7;
  const auto scanned = read_range(*open(small), whole, {}, {.rows = 50});
  ASSERT_TRUE(scanned) << scanned.error().message;
  EXPECT_EQ(scanned->rows,
            ask("SELECT id::text, CASE WHEN a THEN 'true' ELSE 'false' END, CASE WHEN b THEN 'true' ELSE "
                "'false' END, NULL, note::text FROM {}.t ORDER BY t.id"));
}

}  // namespace
}  // namespace longshore
