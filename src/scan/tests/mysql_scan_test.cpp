#include <chrono>

#include "scan/mysql/connection.h"
#include "scan/tests/mysql_fixture.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

using MysqlScanTest = MysqlTest;

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
  std::vector<int> ids(std::vector<Filter> filters) { return ids_of(*source_, spec_, std::move(filters)); }

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

TEST_F(MysqlFilterTest, ValuesNeverBecomeAnotherType) {
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

}  // namespace
}  // namespace longshore
