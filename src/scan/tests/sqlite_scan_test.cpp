#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <numeric>
#include <thread>

#include "scan/source_database.h"
#include "scan/tests/reading.h"

namespace longshore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SqliteScanTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "longshore-scan-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    settings_.name = "app";
    settings_.path = directory_ + "/data.db";
    ASSERT_EQ(sqlite3_open(settings_.path.c_str(), &writer_), SQLITE_OK);
  }
  void TearDown() override {
    sqlite3_close(writer_);
    std::filesystem::remove_all(directory_);
  }

  void run(const std::string& sql) {
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(writer_, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem << ": " << sql;
    sqlite3_free(problem);
  }
  /// Values as SQLite's own text.
  std::vector<TextRow> ask(const std::string& sql) {
    std::vector<TextRow> rows;
    const auto add = [](void* rows_pointer, int columns, char** values, char**) {
      TextRow row;
      for (int i = 0; i < columns; ++i) {
        row.push_back(values[i] == nullptr ? std::nullopt : std::optional<std::string>(values[i]));
      }
      static_cast<std::vector<TextRow>*>(rows_pointer)->push_back(std::move(row));
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(writer_, sql.c_str(), add, &rows, nullptr), SQLITE_OK) << sqlite3_errmsg(writer_);
    return rows;
  }
  /// `rows` numbers from 1 as table `series(i)`.
  void make_series(int rows) {
    run("CREATE TABLE series AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(rows) + ") SELECT i FROM n");
  }

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
  std::vector<int> ids(ExportSpec spec, Filter filter) {
    spec.columns.resize(1);
    spec.filters = {std::move(filter)};
    const auto reading = read_range(*open(), spec, {});
    if (!reading) {
      ADD_FAILURE() << reading.error().message;
      return {};
    }
    std::vector<int> found;
    for (const TextRow& row : reading->rows) found.push_back(std::stoi(*row[0]));
    return found;
  }

  std::string directory_;
  Source settings_;
  sqlite3* writer_ = nullptr;
};

template <class T>
void expect_error(const Result<T>& result, const std::string& code, const std::string& words) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr(words));
}

Filter filter(const std::string& column, FilterOp op, const char* type, std::vector<std::string> values) {
  Filter filter{.column = column, .op = op, .values = {}};
  for (std::string& value : values) filter.values.push_back({.type = *parse_data_type(type), .text = std::move(value)});
  return filter;
}

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

TEST_F(SqliteScanTest, BatchesDependOnRowsAndNotOnStatements) {
  make_series(2000);
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT)");
  run("INSERT INTO t SELECT i, printf('%.*c', i * 37 % 400, 'x') FROM series");
  const ExportSpec whole = spec("t", {"id"});
  const BatchLimits limits{.rows = 150, .bytes = 20'000};
  const auto expected = read_range(*open(), whole, {}, limits);
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(expected->rows, ask("SELECT id, label FROM t ORDER BY id"));
  for (const int batch_rows : {1, 7, 150, 10'000}) {
    settings_.batch_rows = batch_rows;
    const auto reading = read_range(*open(), whole, {}, limits);
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_EQ(reading->rows, expected->rows);
    EXPECT_EQ(reading->last_keys, expected->last_keys);
  }
}

struct KeyCase {
  std::string name;
  std::string columns;
  std::string values;  ///< over `i`
  std::vector<std::string> key;
};

class SqliteKeyTest : public SqliteScanTest, public testing::WithParamInterface<KeyCase> {};

TEST_P(SqliteKeyTest, PartitionsMakeUpTheWhole) {
  const KeyCase& test = GetParam();
  std::string key;
  for (const std::string& column : test.key) key += (key.empty() ? "" : ", ") + column;
  make_series(1000);
  run("CREATE TABLE t (" + test.columns + ", label TEXT, PRIMARY KEY (" + key + "))");
  run("INSERT INTO t SELECT " + test.values + ", 'row ' || i FROM series");
  const auto whole = ask("SELECT label FROM t ORDER BY " + key);
  settings_.batch_rows = 37;
  const auto source = open();
  ExportSpec spec = this->spec("t", test.key);
  spec.columns = {spec.columns.back()};
  for (const int partitions : {1, 2, 7}) {
    const auto plan = source->plan_partitions(spec, {.partitions = partitions}, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->ranges.size(), static_cast<std::size_t>(partitions));
    const auto reading = read_ranges(*source, spec, plan->ranges, {.rows = 100});
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_EQ(reading->rows, whole);
    const auto tail = read_range(*source, spec, {.after = reading->last_keys[2], .upto = {}});
    ASSERT_TRUE(tail) << tail.error().message;
    const std::size_t before = std::accumulate(reading->batch_rows.begin(), reading->batch_rows.begin() + 3, 0UL);
    EXPECT_EQ(tail->rows, std::vector<TextRow>(whole.begin() + static_cast<std::ptrdiff_t>(before), whole.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Keys, SqliteKeyTest,
    testing::Values(
        KeyCase{"integer", "id INTEGER", "i * 3", {"id"}},
        KeyCase{"extreme", "id INTEGER", "i * 9000000000000000 - 4500000000000000000", {"id"}},
        KeyCase{"upper_case_uuid", "id UUID", "printf('%08X-0000-0000-0000-%012X', (i * 7919) % 100003, i)", {"id"}},
        KeyCase{"blob_uuid", "id UUID", "CAST(printf('%016d', (i * 7919) % 100003) AS BLOB)", {"id"}},
        KeyCase{"nocase", "code TEXT COLLATE NOCASE", "char(65 + i % 26 + 32 * (i % 2)) || i", {"code"}},
        KeyCase{"timestamp", "at TIMESTAMP", "datetime(i * 3607, 'unixepoch')", {"at"}},
        KeyCase{"real", "r REAL", "i / 3.0", {"r"}}, KeyCase{"mixed_numbers", "n NUMERIC", "i / 2.0", {"n"}},
        KeyCase{"text_and_integer", "region TEXT, n INTEGER", "'it''s r' || (i % 5), i", {"region", "n"}}),
    [](const auto& parameter) { return parameter.param.name; });

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
  EXPECT_THAT(ids(whole, filter("at", FilterOp::gte, "timestamptz", {"2026-01-01T11:00:00Z"})), ElementsAre(2, 3, 4));
  EXPECT_THAT(ids(whole, filter("at", FilterOp::gt, "timestamptz", {"2026-01-01T13:00:00Z"})), ElementsAre(4));
  EXPECT_THAT(ids(whole, filter("at", FilterOp::lt, "timestamptz", {"2026-01-01T11:00:00Z"})), ElementsAre(1));
  EXPECT_THAT(ids(whole, filter("day", FilterOp::lte, "date", {"2026-01-02"})), ElementsAre(1, 2));
  EXPECT_THAT(ids(whole, filter("b", FilterOp::eq, "bool", {"true"})), ElementsAre(1, 2));
  EXPECT_THAT(ids(whole, filter("d", FilterOp::gte, "numeric(10,2)", {"10.50"})), ElementsAre(2, 3));
  EXPECT_THAT(ids(whole, filter("u", FilterOp::eq, "uuid", {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"})),
              ElementsAre(1, 2, 3));
  EXPECT_THAT(ids(whole, filter("n", FilterOp::in, "int64", {"1", "3"})), ElementsAre(1, 3));
  EXPECT_THAT(ids(whole, filter("digits", FilterOp::gt, "int64", {"9"})), ElementsAre(2, 3));
  EXPECT_THAT(ids(whole, filter("s", FilterOp::eq, "text", {"a'"})), ElementsAre(3));
  EXPECT_THAT(ids(whole, filter("r", FilterOp::eq, "float64", {"0.2"})), ElementsAre(2));
  EXPECT_THAT(ids(whole, filter("raw", FilterOp::eq, "bytea", {"\\x01"})), ElementsAre(2));
  EXPECT_THAT(ids(whole, filter("s", FilterOp::is_null, "text", {})), ElementsAre(4));
  EXPECT_THAT(ids(whole, filter("s", FilterOp::in, "text", {})), ElementsAre());
  for (const std::string hostile : {"x' OR '1'='1", "'; DROP TABLE t; --", "\" OR 1=1 --", "?1"}) {
    EXPECT_THAT(ids(whole, filter("s", FilterOp::eq, "text", {hostile})), ElementsAre()) << hostile;
  }
  run("UPDATE t SET at = 'yesterday' WHERE id = 1");
  ExportSpec broken = whole;
  broken.filters = {filter("at", FilterOp::gte, "timestamptz", {"2026-01-01T11:00:00Z"})};
  expect_error(read_range(*open(), broken, {}), "source_value_mismatch", "'yesterday' as a timestamp");
  broken.filters = {filter("n", FilterOp::eq, "int64", {"1 OR 1"})};
  expect_error(read_range(*open(), broken, {}), "bad_filter_value", "is no int64");
}

TEST_F(SqliteScanTest, ATenantSeesItsOwnRows) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, tenant TEXT)");
  run("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'a')");
  ExportSpec own = spec("t", {"id"});
  own.dataset.tenant_column = "tenant";
  own.tenant = "a";
  EXPECT_EQ(read_range(*open(), own, {})->rows.size(), 2U);
  own.tenant = "a' OR '1'='1";
  EXPECT_TRUE(read_range(*open(), own, {})->rows.empty());
  own.tenant = "";
  EXPECT_TRUE(read_range(*open(), own, {})->rows.empty());
}

TEST_F(SqliteScanTest, ChangesOfTheSchemaAreNoticed) {
  make_series(1000);
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT)");
  run("INSERT INTO t SELECT i, 'x' FROM series");
  const ExportSpec whole = spec("t", {"id"});
  settings_.batch_rows = 100;
  const auto source = open();
  auto scan = source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 100}, .label = "test"}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch));
  scan->reset();
  run("ALTER TABLE t RENAME COLUMN label TO title");
  // SQLite would take "label" for a string if we let it.
  expect_error(read_range(*source, whole, {}), "source_schema_changed", "label");
  run("DROP TABLE t");
  expect_error(read_range(*source, whole, {}), "source_schema_changed", "no such table");
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
  whole.filters = {filter("id", FilterOp::lt, "int64", {"0"})};
  std::stop_source stop;
  auto scan = open()->open_scan({.spec = &whole, .range = {}, .batch = {}, .label = "test"}, stop.get_token());
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  std::jthread stopper([&] { stop.request_stop(); });
  expect_error((*scan)->next(batch), "scan_stopped", "stopped");
  settings_.statement_timeout = std::chrono::milliseconds(50);
  expect_error(read_range(*open(), whole, {}), "source_timeout", "takes too long");
}

TEST_F(SqliteScanTest, AMissingFileIsUnavailable) {
  settings_.path = directory_ + "/nothing.db";
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

TEST_F(SqliteScanTest, EstimatesAndSmallPlans) {
  make_series(1000);
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, tenant TEXT, label TEXT)");
  const ExportSpec whole = spec("t", {"id"});
  const auto source = open();
  EXPECT_TRUE(source->plan_partitions(whole, {.partitions = 3}, {})->ranges.empty());
  EXPECT_EQ(source->estimate(whole, {})->rows, 0);
  run("INSERT INTO t SELECT i, 't' || (i % 2), printf('%.*c', 50, 'x') FROM series");
  const auto estimate = source->estimate(whole, {});
  ASSERT_TRUE(estimate) << estimate.error().message;
  EXPECT_EQ(estimate->rows, 1000);
  EXPECT_TRUE(estimate->exact);
  EXPECT_EQ(estimate->bytes_per_row, 10 + 2 + 50 + 3);
  ExportSpec own = whole;
  own.dataset.tenant_column = "tenant";
  own.tenant = "t1";
  const auto plan = source->plan_partitions(own, {.partitions = 4}, {});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->ranges.size(), 4U);
  EXPECT_TRUE(plan->exact);
  EXPECT_EQ(plan->ranges.back().upto, KeyTuple{"999"});
  for (const KeyRange& range : plan->ranges) EXPECT_EQ(read_range(*source, own, range)->rows.size(), 125U);
}

TEST_F(SqliteScanTest, LimitsOfPartitionsAreKeptAndRowsCounted) {
  make_series(1000);
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, tenant TEXT)");
  const ExportSpec whole = spec("t", {"id"});
  const auto source = open();
  EXPECT_EQ(source->plan_partitions(whole, {.max_rows = 10}, {})->rows, 0);
  run("INSERT INTO t SELECT i * i, 't' || (i % 2) FROM series");
  const auto counted = source->plan_partitions(whole, {.max_rows = 300}, {});
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_EQ(counted->rows, 1000);
  EXPECT_TRUE(counted->exact);
  ASSERT_EQ(counted->ranges.size(), 4U);
  for (const KeyRange& range : counted->ranges) EXPECT_EQ(read_range(*source, whole, range)->rows.size(), 250U);
  EXPECT_EQ(source->plan_partitions(whole, {.max_rows = 1000}, {})->ranges.size(), 1U);
  EXPECT_EQ(source->plan_partitions(whole, {.partitions = 3, .group_rows = 500}, {})->ranges.size(), 4U);

  const auto fits = source->plan_partitions(whole, {.max_total_rows = 1000}, {});
  EXPECT_EQ(fits->rows, 1000);
  EXPECT_EQ(fits->ranges.size(), 1U);
  const auto too_many = source->plan_partitions(whole, {.max_total_rows = 700}, {});
  EXPECT_EQ(too_many->rows, 701) << "counting stops behind the limit";
  EXPECT_TRUE(too_many->ranges.empty());
  ExportSpec own = whole;
  own.dataset.tenant_column = "tenant";
  own.tenant = "t1";
  EXPECT_EQ(source->plan_partitions(own, {.max_total_rows = 700}, {})->rows, 500);
  EXPECT_EQ(source->plan_partitions(whole, {.partitions = 1}, {})->rows, std::nullopt) << "nobody asked";
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
  for (int i = 0;; ++i) {
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
