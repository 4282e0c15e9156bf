#include <chrono>
#include <numeric>

#include "scan/mysql/connection.h"
#include "scan/tests/mysql_fixture.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

using MysqlScanTest = MysqlTest;

struct KeyCase {
  std::string name;
  std::string columns;  ///< of the table, in key order
  std::string values;   ///< SELECT list over `seq`
  std::vector<std::string> key;
};

/// Every partitioning of every kind of key gives the whole, once, in the database's own order.
class MysqlKeyTest : public MysqlTest, public testing::WithParamInterface<KeyCase> {};

TEST_P(MysqlKeyTest, PartitionsMakeUpTheWhole) {
  const KeyCase& test = GetParam();
  std::string key;
  for (const std::string& column : test.key) key += (key.empty() ? "" : ", ") + column;
  run("CREATE TABLE t (" + test.columns + ", label varchar(40) NOT NULL, PRIMARY KEY (" + key + "))");
  run("INSERT INTO t SELECT " + test.values + ", 'row ' || seq FROM seq_1_to_1000");
  const auto whole = ask("SELECT label FROM t ORDER BY " + key);
  ASSERT_EQ(whole.size(), 1000U);

  Source settings = source_settings();
  settings.batch_rows = 37;
  const auto source = open(settings);
  ExportSpec spec = MysqlTest::spec(*source, "t", test.key);
  spec.columns = {spec.columns.back()};  // the label: the key is read besides
  for (const int partitions : {1, 2, 7}) {
    SCOPED_TRACE(partitions);
    const auto plan = source->plan_partitions(spec, {.partitions = partitions}, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->ranges.size(), static_cast<std::size_t>(partitions));
    EXPECT_FALSE(plan->ranges.front().after.has_value());
    const auto reading = read_ranges(*source, spec, plan->ranges, {.rows = 100});
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_EQ(reading->rows, whole);
    // Keys in text lead back to the very same place.
    const auto tail = read_range(*source, spec, {.after = reading->last_keys[2], .upto = {}});
    ASSERT_TRUE(tail) << tail.error().message;
    const std::size_t before = std::accumulate(reading->batch_rows.begin(), reading->batch_rows.begin() + 3, 0UL);
    EXPECT_EQ(tail->rows, std::vector<TextRow>(whole.begin() + static_cast<std::ptrdiff_t>(before), whole.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Keys, MysqlKeyTest,
    testing::Values(
        KeyCase{"int", "id int", "seq * 3", {"id"}},
        KeyCase{"negative_bigint", "id bigint", "CAST(seq AS SIGNED) * 9000000000000000 - 4500000000000000000", {"id"}},
        KeyCase{"unsigned_bigint", "id bigint unsigned", "18446744073709551615 - seq", {"id"}},
        KeyCase{"zerofill", "id int(8) unsigned zerofill", "seq * 7", {"id"}},
        KeyCase{"decimal", "n decimal(20,3)", "seq / 8 - 20", {"n"}},
        KeyCase{"long_decimal", "n decimal(65,5)", "seq * 1e20 + seq / 8", {"n"}},
        KeyCase{"double", "f double", "seq / 3e0", {"f"}}, KeyCase{"float", "f float", "seq / 3e0", {"f"}},
        KeyCase{
            "datetime", "at datetime(6)", "TIMESTAMP'2026-01-01 00:00:00' + INTERVAL seq * 1.000001 SECOND", {"at"}},
        KeyCase{"timestamp", "at timestamp(3)", "TIMESTAMP'2026-01-01 00:00:00' + INTERVAL seq HOUR", {"at"}},
        KeyCase{"date", "day date", "DATE'1000-01-01' + INTERVAL seq DAY", {"day"}},
        KeyCase{"time", "t time(3)", "sec_to_time(CAST(seq AS SIGNED) * 1000.5 - 400000)", {"t"}},
        KeyCase{
            "uuid", "id uuid", "insert(insert(md5(seq), 13, 1, elt(1 + seq % 3, '1', '4', '7')), 17, 1, '8')", {"id"}},
        KeyCase{"binary_uuid", "id binary(16)", "unhex(md5(seq))", {"id"}},
        KeyCase{"varbinary", "digest varbinary(40)", "concat(unhex(md5(seq)), char(0))", {"digest"}},
        KeyCase{"inet", "address inet6", "concat('::ffff:10.0.', seq div 250, '.', seq % 250)", {"address"}},
        KeyCase{"no_case", "code varchar(40)", "char(65 + seq % 26 + 32 * (seq % 2)) || seq", {"code"}},
        KeyCase{"no_case_latin1",
                "code varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
                "convert(elt(1 + seq % 4, 'ä', 'Z', 'ö', 'A') using latin1) || seq",
                {"code"}},
        KeyCase{
            "trailing_spaces",
            "code varchar(40) COLLATE utf8mb4_bin",
            "elt(1 + seq % 3, 'a', 'b', 'c') || repeat(' ', seq % 5) || char(33 + seq div 90) || char(33 + seq % 90)",
            {"code"}},
        KeyCase{"no_pad",
                "code varchar(80) COLLATE utf8mb4_nopad_bin",
                "repeat('a', seq % 30) || repeat(' ', seq div 30)",
                {"code"}},
        KeyCase{"hostile_text", "code varchar(60)", "char(33 + seq % 90) || '''\\\" -- ' || seq", {"code"}},
        KeyCase{"enum_and_int", "mood enum('z','b','a'), n int", "elt(1 + seq % 3, 'a', 'b', 'z'), seq", {"mood", "n"}},
        KeyCase{"set_and_int", "s set('z','b','a'), n int", "seq % 8, seq", {"s", "n"}},
        KeyCase{"bit_and_int", "b bit(8), n int", "seq % 200, seq", {"b", "n"}},
        KeyCase{"text_and_int", "region varchar(20), n int", "'r' || (seq % 5), seq", {"region", "n"}},
        KeyCase{"three",
                "a int, b varchar(20), c date",
                "seq % 3, 'b' || (seq % 7), DATE'2026-01-01' + INTERVAL seq DAY",
                {"a", "b", "c"}}),
    [](const auto& parameter) { return parameter.param.name; });

/// The statements that a reader makes use one index range, however many columns the key has.
TEST_F(MysqlScanTest, AStatementReadsTheRowsThatItReturnsAndNoMore) {
  run("CREATE TABLE t (tenant varchar(20), a int, b int, label varchar(40), PRIMARY KEY (tenant, a, b))");
  run("INSERT INTO t SELECT concat('t', seq % 3), seq div 100, seq, 'x' FROM seq_1_to_30000");
  run("ANALYZE TABLE t");
  Source settings = source_settings();
  settings.batch_rows = 100;
  const auto source = open(settings);
  ExportSpec whole = spec(*source, "t", {"tenant", "a", "b"});
  whole.dataset.tenant_column = "tenant";
  whole.tenant = "t1";
  const auto rows_read = [&] { return std::stoll(*ask("SHOW GLOBAL STATUS LIKE 'Handler_read_next'")[0][1]); };
  const auto expected =
      ask("SELECT * FROM t WHERE tenant = 't1' AND (a, b) > (150, 15100) AND (a, b) <= (200, 20002) ORDER BY a, b");
  const auto before = rows_read();
  const auto reading =
      read_range(*source, whole, {.after = KeyTuple{"t1", "150", "15100"}, .upto = KeyTuple{"t1", "200", "20002"}});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, expected);
  EXPECT_GT(expected.size(), 1500U);
  // Besides the rows: what describing the table takes, and both ends of each statement's ranges. The row comparison
  // above reads all of the tenant's 10,000.
  EXPECT_LT(rows_read() - before, static_cast<std::int64_t>(expected.size()) + 200);
}

class MysqlFilterTest : public MysqlTest {
 protected:
  void SetUp() override {
    MysqlTest::SetUp();
    run(R"(CREATE TABLE t (id int PRIMARY KEY, tenant varchar(40), big bigint unsigned, n decimal(10,2), f float, d double,
           b boolean, bits bit(1), at timestamp(6) NULL, local datetime, day date, t time, y year, u uuid, raw binary(16),
           mood enum('ok', 'sad'), address inet6, code char(6), note text, KEY (code)))");
    run(R"(INSERT INTO t SELECT seq, concat('Tenant ''', seq % 2, ''''), 18446744073709551615 - seq, seq / 4, seq / 10, seq / 10,
           seq % 2 = 0, seq % 2 = 0, TIMESTAMP'2026-01-01 00:00:00' + INTERVAL seq HOUR,
           TIMESTAMP'2026-01-01 00:00:00' + INTERVAL seq HOUR, DATE'2026-01-01' + INTERVAL seq DAY, sec_to_time(seq * 60),
           2000 + seq, insert(insert(md5(seq), 13, 1, '4'), 17, 1, '8'), unhex(md5(seq)), elt(1 + seq % 2, 'ok', 'sad'), concat('::ffff:10.0.0.', seq), 'c' || seq,
           CASE WHEN seq % 3 = 0 THEN NULL ELSE 'note ' || seq END FROM seq_1_to_40)");
    source_ = open();
    spec_ = spec(*source_, "t", {"id"});
    spec_.columns.resize(1);
  }

  /// The ids that these filters leave.
  std::vector<int> ids(std::vector<Filter> filters) {
    spec_.filters = std::move(filters);
    const auto reading = read_range(*source_, spec_, {});
    if (!reading) {
      ADD_FAILURE() << reading.error().message;
      return {};
    }
    std::vector<int> found;
    for (const TextRow& row : reading->rows) found.push_back(std::stoi(*row[0]));
    return found;
  }

  std::unique_ptr<SourceDatabase> source_;
  ExportSpec spec_;
};

TEST_F(MysqlFilterTest, EveryTypeIsComparedAsWhatItIs) {
  EXPECT_THAT(ids({filter_of("id", FilterOp::in, "int64", {"7", "9", "99999999999"})}), ElementsAre(7, 9));
  EXPECT_THAT(ids({filter_of("id", FilterOp::gt, "int32", {"2"}), filter_of("id", FilterOp::lte, "int32", {"4"})}),
              ElementsAre(3, 4));
  EXPECT_THAT(ids({filter_of("big", FilterOp::gte, "numeric(20,0)", {"18446744073709551613"})}), ElementsAre(1, 2));
  EXPECT_THAT(ids({filter_of("n", FilterOp::gte, "numeric(10,2)", {"9.75"})}), ElementsAre(39, 40));
  EXPECT_THAT(ids({filter_of("f", FilterOp::eq, "float32", {"0.1"})}), ElementsAre(1));
  EXPECT_THAT(ids({filter_of("d", FilterOp::eq, "float64", {"0.3"})}), ElementsAre(3));
  EXPECT_EQ(ids({filter_of("b", FilterOp::eq, "bool", {"true"})}).size(), 20U);
  EXPECT_EQ(ids({filter_of("bits", FilterOp::eq, "bool", {"false"})}).size(), 20U);
  EXPECT_THAT(ids({filter_of("at", FilterOp::lt, "timestamptz", {"2026-01-01T03:00:00Z"})}), ElementsAre(1, 2));
  EXPECT_THAT(ids({filter_of("at", FilterOp::lt, "timestamptz", {"2026-01-01T05:00:00+02:00"})}), ElementsAre(1, 2));
  // What a timestamp column cannot hold can still be compared with.
  EXPECT_EQ(ids({filter_of("at", FilterOp::gt, "timestamptz", {"1000-01-01T00:00:00Z"})}).size(), 40U);
  EXPECT_EQ(ids({filter_of("at", FilterOp::lt, "timestamptz", {"9999-01-01T00:00:00Z"})}).size(), 40U);
  EXPECT_THAT(ids({filter_of("local", FilterOp::lt, "timestamp", {"2026-01-01T03:00:00"})}), ElementsAre(1, 2));
  EXPECT_THAT(ids({filter_of("day", FilterOp::eq, "date", {"2026-01-05"})}), ElementsAre(4));
  EXPECT_THAT(ids({filter_of("t", FilterOp::lte, "time", {"00:02:00"})}), ElementsAre(1, 2));
  EXPECT_THAT(ids({filter_of("y", FilterOp::gt, "int16", {"2038"})}), ElementsAre(39, 40));
  EXPECT_THAT(ids({filter_of("u", FilterOp::eq, "uuid", {"c4ca4238-a0b9-4382-8dcc-509a6f75849b"})}), ElementsAre(1));
  EXPECT_THAT(ids({filter_of("raw", FilterOp::eq, "uuid", {"c4ca4238-a0b9-2382-0dcc-509a6f75849b"})}), ElementsAre(1));
  EXPECT_EQ(ids({filter_of("mood", FilterOp::eq, "text", {"sad"})}).size(), 20U);
  EXPECT_THAT(ids({filter_of("address", FilterOp::eq, "text", {"::ffff:10.0.0.5"})}), ElementsAre(5));
  EXPECT_THAT(ids({filter_of("code", FilterOp::in, "text", {"c3", "C4"})}), ElementsAre(3, 4));
  EXPECT_EQ(ids({filter_of("note", FilterOp::is_null, "text", {})}).size(), 13U);
  EXPECT_TRUE(ids({filter_of("note", FilterOp::in, "text", {})}).empty());
}

TEST_F(MysqlFilterTest, ValuesNeverBecomeSqlNorAnotherType) {
  for (const std::string hostile : {"x' OR '1'='1", "'; DROP TABLE t; --", "\\' OR 1=1 --", "\\", "note 1'--", "\"",
                                    "%s%n{0}", "/*!50000 x*/", "\\x27 OR 1=1 -- "}) {
    EXPECT_TRUE(ids({filter_of("note", FilterOp::eq, "text", {hostile})}).empty()) << hostile;
  }
  EXPECT_EQ(ask("SELECT count(*) FROM t"), (std::vector<TextRow>{{"40"}}));
  // MySQL itself would take a text for the number at its beginning, or for 0.
  for (const char* text : {"1 OR TRUE", "abc", "1"}) {
    spec_.filters = {filter_of("id", FilterOp::eq, "text", {text})};
    expect_error(read_range(*source_, spec_, {}), "source_schema_changed",
                 "cannot be compared with a value of type text");
  }
  spec_.filters = {filter_of("id", FilterOp::eq, "int32", {"1 OR TRUE"})};
  expect_error(read_range(*source_, spec_, {}), "bad_filter_value", "is no int32");
  spec_.filters = {filter_of("note", FilterOp::eq, "int64", {"1"})};
  expect_error(read_range(*source_, spec_, {}), "source_schema_changed", "cannot be compared");
  spec_.filters = {filter_of("note", FilterOp::eq, "text", {std::string("a\0b", 3)})};
  expect_error(read_range(*source_, spec_, {}), "bad_filter_value", "NUL");
  spec_.filters = {filter_of("note", FilterOp::eq, "text", {"\xC3("})};
  expect_error(read_range(*source_, spec_, {}), "bad_filter_value", "UTF-8");
}

TEST_F(MysqlFilterTest, ATenantIsComparedByteForByte) {
  spec_.dataset.tenant_column = "tenant";
  spec_.tenant = "Tenant '1'";
  EXPECT_EQ(ids({}).size(), 20U);
  // The column's collation knows neither case nor spaces at the end.
  EXPECT_EQ(ask("SELECT count(*) FROM t WHERE tenant = 'tenant ''1''  '"), (std::vector<TextRow>{{"20"}}));
  for (const char* other : {"tenant '1'", "Tenant '1' ", "Ténant '1'", "x' OR tenant IS NOT NULL --", ""}) {
    spec_.tenant = other;
    EXPECT_TRUE(ids({}).empty()) << other;
  }
}

TEST_F(MysqlScanTest, NamesAreQuotedWhateverTheyContain) {
  run(R"(CREATE TABLE "odd ""table"" na`me" ("Key;--" int PRIMARY KEY, "select" text, "quote""d`" text))");
  run(R"(INSERT INTO "odd ""table"" na`me" VALUES (1, 'a', 'b'))");
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "odd \"table\" na`me", {"Key;--"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, (std::vector<TextRow>{{"1", "a", "b"}}));
}

TEST_F(MysqlScanTest, TheSessionIsReadOnlyAndGuarded) {
  run("CREATE TABLE log (who text)");
  run("CREATE FUNCTION spy() RETURNS text READS SQL DATA RETURN concat_ws(' ', @@tx_read_only, @@max_statement_time, "
      "@@time_zone, @@lock_wait_timeout, @@innodb_lock_wait_timeout, @@character_set_connection)");
  run("CREATE VIEW t AS SELECT 1 AS id, spy() AS label");
  Source settings = source_settings();
  settings.statement_timeout = 7500ms;
  const auto source = open(settings);
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, (std::vector<TextRow>{{"1", "ON 7.500000 +00:00 5 5 utf8mb4"}}));
  const auto session = MysqlConnection::open(
      {.address = parse_mysql_address(url()).value(), .label = "test", .statement_timeout = {}, .place = nullptr}, {});
  ASSERT_TRUE(session) << session.error().message;
  expect_error((*session)->query("INSERT INTO log VALUES ('x')", {}), "source_query_failed", "READ ONLY");
}

TEST_F(MysqlScanTest, LargeRowsAndManyRows) {
  run("CREATE TABLE t (id int PRIMARY KEY, label longtext)");
  run("INSERT INTO t SELECT seq, repeat(md5(seq), 30000) FROM seq_1_to_12");
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, ask("SELECT id, label FROM t ORDER BY id"));
  EXPECT_EQ(reading->batch_rows.size(), 6U);  // two of 960,000 bytes reach a megabyte
}

}  // namespace
}  // namespace longshore
