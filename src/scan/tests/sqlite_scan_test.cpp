#include <chrono>
#include <filesystem>
#include <thread>

#include "scan/tests/sqlite_fixture.h"

namespace longshore {
namespace {

using testing::ElementsAre;

class SqliteScanTest : public testing::Test {
 protected:
  void run(const std::string& sql) { file_.run(sql); }
  /// `rows` numbers from 1 as table `series(i)`.
  void make_series(int rows) { run("CREATE TABLE series AS SELECT i FROM " + file_.series(rows)); }

  std::unique_ptr<SourceDatabase> open() { return make_source(settings_).value(); }
  ExportSpec spec(const std::string& table, const std::vector<std::string>& key) {
    const auto described = open()->describe(table);
    if (!described) {
      ADD_FAILURE() << described.error().message;
      return {};
    }
    return spec_of(*described, key);
  }
  /// The ids that a filter leaves.
  std::vector<int> ids(const ExportSpec& spec, Filter filter) { return ids_of(*open(), spec, {std::move(filter)}); }

  SqliteFile file_;
  Source settings_ = file_.settings();
};

TEST_F(SqliteScanTest, ReadsEveryDeclaredType) {
  run(R"(CREATE TABLE t (id INTEGER PRIMARY KEY, b BOOLEAN, i BIGINT, r REAL, d DECIMAL(10,2), s VARCHAR(40), u UUID,
         day DATE, tm TIME, at TIMESTAMP, tz TIMESTAMPTZ, j JSON, raw BLOB, free NUMERIC, dt DATETIME))");
  run(R"(INSERT INTO t VALUES (1, 1, 9223372036854775807, 0.1, 19.99, 'Größe "x"', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
         '2026-06-06', '12:30', '2026-06-06 12:30:00.5', '2026-06-06T12:30:00+02:00', '{"a": [1]}', x'00ff', 2.5, 0))");
  run("INSERT INTO t (id) VALUES (2)");
  const auto reading = read_range(*open(), spec("t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_THAT(reading->rows[0], ElementsAre("1", "true", "9223372036854775807", "0.1", "19.99", "Größe \"x\"",
                                            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "2026-06-06", "12:30:00",
                                            "2026-06-06T12:30:00.500000", "2026-06-06T10:30:00Z", "{\"a\": [1]}",
                                            "00ff", "2.5", "1970-01-01T00:00:00"));
  EXPECT_EQ(reading->rows[1].size(), 15U);
  EXPECT_EQ(std::count(reading->rows[1].begin(), reading->rows[1].end(), std::nullopt), 14);
}

TEST_F(SqliteScanTest, ValuesOfAnotherTypeNameColumnAndKey) {
  run("CREATE TABLE t (tenant TEXT, id INT, n INT, j JSON, PRIMARY KEY (tenant, id))");
  run("INSERT INTO t VALUES ('a', 1, 1, '{}'), ('a', 2, 'abc', NULL)");
  expect_error(read_range(*open(), spec("t", {"tenant", "id"}), {}), "source_value_mismatch",
               "column \"n\", row with key [\"a\",\"2\"]: the value 'abc' does not fit int64");
  run("UPDATE t SET n = 2, j = '{broken' WHERE id = 2");
  expect_error(read_range(*open(), spec("t", {"tenant", "id"}), {}), "source_value_mismatch",
               "'{broken' does not fit json");
}

TEST_F(SqliteScanTest, WhoAsksForReadinessDoesNotWaitForAnExport) {
  make_series(1000);
  settings_.max_connections = 1;
  const ExportSpec whole = spec("series", {"i"});
  const auto source = open();
  auto scan = source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 100}, .label = "busy"}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch));
  expect_error(source->ping(), "source_busy", "");
  scan->reset();
  EXPECT_TRUE(source->ping());
}

TEST_F(SqliteScanTest, KeysOfMixedStorageAreRefused) {
  run("CREATE TABLE t (id BLOB PRIMARY KEY, label TEXT)");
  run("INSERT INTO t VALUES (1, 'a'), ('2', 'b')");
  ExportSpec whole = spec("t", {"id"});
  whole.columns.erase(whole.columns.begin());
  expect_error(read_range(*open(), whole, {}), "source_value_mismatch", "another storage class");
  run("DELETE FROM t; INSERT INTO t VALUES (1, 'a'), (NULL, 'b')");
  expect_error(read_range(*open(), whole, {}), "source_value_mismatch", "is NULL");
}

TEST_F(SqliteScanTest, FiltersCompareWhatTheValuesMean) {
  run(R"(CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMPTZ, day DATE, b BOOLEAN, d DECIMAL(10,2), u UUID, n INT, s TEXT,
         digits TEXT, r REAL, raw BLOB))");
  run(R"(INSERT INTO t VALUES
    (1, '2026-01-01 10:00:00', '2026-01-01', 1, 9.5, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1, 'a', '9', 0.1, x'00'),
    (2, '2026-01-01T13:00:00+02:00', '2026-01-02 00:00:00', 'true', '10.50', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 2, 'A', '10', 0.2, x'01'),
    (3, 1767268800, '2026-01-03', 0, 100, x'a0eebc999c0b4ef8bb6d6bb9bd380a11', 3, 'a''', '11', 0.3, NULL),
    (4, '2026-01-01T13:00:00.000001Z', NULL, 'f', NULL, NULL, NULL, NULL, NULL, NULL, NULL))");
  const ExportSpec whole = spec("t", {"id"});
  EXPECT_THAT(ids(whole, filter_of("at", FilterOp::gte, "timestamptz", {"2026-01-01T11:00:00Z"})),
              ElementsAre(2, 3, 4));
  EXPECT_THAT(ids(whole, filter_of("at", FilterOp::gt, "timestamptz", {"2026-01-01T13:00:00Z"})), ElementsAre(4));
  EXPECT_THAT(ids(whole, filter_of("at", FilterOp::lt, "timestamptz", {"2026-01-01T11:00:00Z"})), ElementsAre(1));
  EXPECT_THAT(ids(whole, filter_of("day", FilterOp::lte, "date", {"2026-01-02"})), ElementsAre(1, 2));
  EXPECT_THAT(ids(whole, filter_of("b", FilterOp::eq, "bool", {"true"})), ElementsAre(1, 2));
  EXPECT_THAT(ids(whole, filter_of("d", FilterOp::gte, "numeric(10,2)", {"10.50"})), ElementsAre(2, 3));
  EXPECT_THAT(ids(whole, filter_of("u", FilterOp::eq, "uuid", {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"})),
              ElementsAre(1, 2, 3));
  EXPECT_THAT(ids(whole, filter_of("n", FilterOp::in, "int64", {"1", "3"})), ElementsAre(1, 3));
  EXPECT_THAT(ids(whole, filter_of("digits", FilterOp::gt, "int64", {"9"})), ElementsAre(2, 3));
  EXPECT_THAT(ids(whole, filter_of("s", FilterOp::eq, "text", {"a'"})), ElementsAre(3));
  EXPECT_THAT(ids(whole, filter_of("r", FilterOp::eq, "float64", {"0.2"})), ElementsAre(2));
  EXPECT_THAT(ids(whole, filter_of("raw", FilterOp::eq, "bytea", {"\\x01"})), ElementsAre(2));
  EXPECT_THAT(ids(whole, filter_of("s", FilterOp::is_null, "text", {})), ElementsAre(4));
  EXPECT_THAT(ids(whole, filter_of("s", FilterOp::in, "text", {})), ElementsAre());
  for (const std::string hostile : {"x' OR '1'='1", "'; DROP TABLE t; --", "\" OR 1=1 --", "?1"}) {
    EXPECT_THAT(ids(whole, filter_of("s", FilterOp::eq, "text", {hostile})), ElementsAre()) << hostile;
  }
  run("UPDATE t SET at = 'yesterday' WHERE id = 1");
  ExportSpec broken = whole;
  broken.filters = {filter_of("at", FilterOp::gte, "timestamptz", {"2026-01-01T11:00:00Z"})};
  expect_error(read_range(*open(), broken, {}), "source_value_mismatch", "'yesterday' as a timestamp");
  broken.filters = {filter_of("n", FilterOp::eq, "int64", {"1 OR 1"})};
  expect_error(read_range(*open(), broken, {}), "bad_filter_value", "is no int64");
}

TEST_F(SqliteScanTest, StopEndsAStatementThatFindsNothing) {
  run("CREATE VIEW t AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n");
  ExportSpec whole;
  whole.dataset.relation = "t";
  whole.dataset.key = {"id"};
  whole.dataset.key_types = {*parse_data_type("int64")};
  whole.columns.emplace_back();
  whole.columns[0].source = "id";
  whole.columns[0].type = whole.dataset.key_types[0];
  whole.filters = {filter_of("id", FilterOp::lt, "int64", {"0"})};
  std::stop_source stop;
  auto scan = open()->open_scan({.spec = &whole, .range = {}, .batch = {}, .label = "test"}, stop.get_token());
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  std::jthread stopper([&] { stop.request_stop(); });
  expect_error((*scan)->next(batch), "scan_stopped", "stopped");
  settings_.statement_timeout = std::chrono::milliseconds(50);
  expect_error(read_range(*open(), whole, {}), "source_timeout", "takes too long");
}

TEST_F(SqliteScanTest, AMomentIsReadOnlyWhereWritersAreNotKeptOut) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  const ExportSpec whole = spec("t", {"id"});
  auto scan = open()->open_scan({.spec = &whole, .range = {}, .batch = {}, .label = "t", .one_moment = true}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  expect_error((*scan)->next(batch), "snapshot_unsupported", "not in WAL mode");
}

TEST_F(SqliteScanTest, AMissingFileIsUnavailable) {
  settings_ = file_.nowhere();
  const auto answer = open()->ping();
  expect_error(answer, "source_unavailable", "nothing.db");
  EXPECT_FALSE(std::filesystem::exists(settings_.path));
}

TEST_F(SqliteScanTest, DescribesTables) {
  run("CREATE TABLE a (id INTEGER PRIMARY KEY, n INT NOT NULL, s TEXT, x, UNIQUE (n, s))");
  run("CREATE INDEX a_plain ON a (s)");
  run("CREATE UNIQUE INDEX a_partial ON a (n) WHERE s IS NOT NULL");
  run("CREATE INDEX a_expression ON a (lower(s))");
  run("CREATE TABLE b (k TEXT, v REAL, PRIMARY KEY (k)) WITHOUT ROWID");
  run("CREATE TABLE c (k TEXT PRIMARY KEY)");
  run("CREATE VIEW v AS SELECT n FROM a");
  run("INSERT INTO a (id, n) VALUES (7, 1)");
  const auto source = open();
  EXPECT_THAT(*source->list_relations(), ElementsAre("a", "b", "c"));
  const auto shape = [&](const std::string& table) {
    const auto info = source->describe(table).value();
    std::string text;
    for (const ColumnInfo& column : info.columns) {
      text += column.name + " " + to_string(column.type) + (column.nullable ? " null, " : ", ");
    }
    for (const IndexInfo& index : info.indexes) {
      text += index.name + "(";
      for (const std::string& column : index.columns) text += column + " ";
      text +=
          std::string(")") + (index.primary ? "P" : "") + (index.unique ? "U" : "") + (index.partial ? "p" : "") + ", ";
    }
    return text + (info.is_view ? "view" : "");
  };
  EXPECT_EQ(shape("a"),
            "id int64, n int64, s text null, x text null, rowid(id )PU, a_partial(n )Up, a_plain(s ), "
            "sqlite_autoindex_a_1(n s )U, ");
  EXPECT_EQ(shape("b"), "k text, v float64 null, sqlite_autoindex_b_1(k )PU, ");
  EXPECT_EQ(shape("c"), "k text null, sqlite_autoindex_c_1(k )PU, ");
  EXPECT_EQ(shape("v"), "n int64 null, view");
  EXPECT_EQ(source->describe("a")->estimated_rows, 7);
  expect_error(source->describe("nothing"), "relation_not_found", "nothing");
}

TEST_F(SqliteScanTest, AWriterDoesNotDisturb) {
  run("PRAGMA journal_mode = WAL");
  make_series(1000);
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT)");
  run("INSERT INTO t SELECT i * 2, 'x' FROM series");
  const ExportSpec whole = spec("t", {"id"});
  settings_.batch_rows = 50;
  const auto source = open();
  const auto plan = source->plan_partitions(whole, {.partitions = 1}, {});
  auto scan = source->open_scan({.spec = &whole, .range = plan->ranges[0], .batch = {.rows = 70}, .label = "t"}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  Reading reading;
  while (true) {
    const auto more = (*scan)->next(batch);
    ASSERT_TRUE(more) << more.error().message;
    if (!*more) break;
    append_rows(batch, reading);
    run("INSERT INTO t (label) VALUES ('later')");  // behind the end of the plan
    run("UPDATE t SET label = 'y' WHERE id = 2");   // already read
  }
  EXPECT_EQ(reading.rows.size(), 1000U);
}

}  // namespace
}  // namespace longshore
