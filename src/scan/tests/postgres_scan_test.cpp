#include <numeric>

#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

using PostgresScanTest = PostgresTest;

constexpr const char* kRows = "SELECT id::text, label FROM {}.t ORDER BY t.id";

TEST_F(PostgresScanTest, AnEmptyRelationHasNoBatch) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, label text)");
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_TRUE(reading->rows.empty());
  EXPECT_TRUE(reading->batch_rows.empty());
}

TEST_F(PostgresScanTest, AnEmptyRangeReadsNothing) {
  run("CREATE TABLE {}.t AS SELECT i AS id, 'x'::text AS label FROM generate_series(1, 3) i");
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {.after = {}, .upto = {}, .empty = true});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_TRUE(reading->rows.empty());
}

TEST_F(PostgresScanTest, BatchesDependOnRowsAndNotOnStatements) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, label text)");
  run("INSERT INTO {}.t SELECT i, repeat('x', i * 37 % 400) FROM generate_series(1, 2000) i");
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  const BatchLimits limits{.rows = 150, .bytes = 20'000};
  const auto expected = read_range(*source, whole, {}, limits);
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(expected->rows, ask(kRows));
  EXPECT_GT(expected->batch_rows.size(), 13U);
  for (const int batch_rows : {1, 7, 100, 150, 151, 10'000}) {
    SCOPED_TRACE(batch_rows);
    Source settings = source_settings();
    settings.batch_rows = batch_rows;
    const auto reading = read_range(*open(settings), whole, {}, limits);
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_EQ(reading->rows, expected->rows);
    EXPECT_EQ(reading->batch_rows, expected->batch_rows);
    EXPECT_EQ(reading->last_keys, expected->last_keys);
  }
  // Resuming behind any batch gives the batches that follow it.
  const auto rest = read_range(*source, whole, {.after = expected->last_keys[4], .upto = {}}, limits);
  ASSERT_TRUE(rest);
  EXPECT_THAT(rest->last_keys, testing::ElementsAreArray(expected->last_keys.begin() + 5, expected->last_keys.end()));
}

TEST_F(PostgresScanTest, RangesAreOpenBelowAndClosedAbove) {
  run("CREATE TABLE {}.t AS SELECT i AS id, i::text AS label FROM generate_series(1, 10) i");
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {.after = KeyTuple{"3"}, .upto = KeyTuple{"6"}});
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->rows, (std::vector<TextRow>{{"4", "4"}, {"5", "5"}, {"6", "6"}}));
}

struct KeyCase {
  std::string name;
  std::string columns;  ///< of the table, in key order
  std::string values;   ///< SELECT list over `i`
  std::vector<std::string> key;
};

/// Every partitioning of every kind of key gives the whole, once, in the database's own order.
class PostgresKeyTest : public PostgresTest, public testing::WithParamInterface<KeyCase> {};

TEST_P(PostgresKeyTest, PartitionsMakeUpTheWhole) {
  const KeyCase& test = GetParam();
  run("CREATE TABLE {}.t (" + test.columns + ", label text NOT NULL)");
  run("INSERT INTO {}.t SELECT " + test.values + ", 'row ' || i FROM generate_series(1, 1000) i");
  std::string key;
  for (const std::string& column : test.key) key += (key.empty() ? "" : ", ") + column;
  run("ALTER TABLE {}.t ADD PRIMARY KEY (" + key + ")");
  run("ANALYZE {}.t");
  const auto whole = ask("SELECT label FROM {}.t ORDER BY " + key);

  Source settings = source_settings();
  settings.batch_rows = 37;
  const auto source = open(settings);
  ExportSpec spec = this->spec(*source, "t", test.key);
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
    Keys, PostgresKeyTest,
    testing::Values(
        KeyCase{"int", "id int", "i * 3", {"id"}},
        KeyCase{"negative_bigint", "id bigint", "i * 9000000000000000 - 4500000000000000000", {"id"}},
        KeyCase{"uuid", "id uuid", "md5(i::text)::uuid", {"id"}},
        KeyCase{"timestamptz", "at timestamptz", "timestamptz '2026-01-01Z' + i * interval '1.000001 s'", {"at"}},
        KeyCase{"old_timestamp", "at timestamp", "timestamp '0002-01-01' - i * interval '1 day 0.5 s'", {"at"}},
        KeyCase{"date", "day date", "date '2026-01-01' + i", {"day"}},
        KeyCase{"numeric", "n numeric(20,3)", "i / 8.0 - 20", {"n"}}, KeyCase{"float", "f float8", "i / 3.0", {"f"}},
        KeyCase{"text_c", "code text COLLATE \"C\"", "chr(33 + i % 90) || '''\\' || md5(i::text)", {"code"}},
        KeyCase{"text_icu",
                "code text COLLATE \"en-x-icu\"",
                "(CASE i % 4 WHEN 0 THEN 'ä' WHEN 1 THEN 'Z' WHEN 2 THEN '-a' ELSE 'A' END) || md5(i::text)",
                {"code"}},
        KeyCase{"char", "code char(40)", "md5(i::text)", {"code"}},
        KeyCase{"inet", "address inet", "inet '10.0.0.0' + i * 7", {"address"}},
        KeyCase{"bytea", "digest bytea", "decode(md5(i::text), 'hex')", {"digest"}},
        KeyCase{"time", "t time", "time '00:00' + i * interval '1.5 s'", {"t"}},
        KeyCase{"text_and_int", "region text, n int", "'r' || i % 5, i", {"region", "n"}},
        KeyCase{"time_and_uuid",
                "at timestamptz, id uuid",
                "timestamptz '2026-01-01Z' + (i / 10) * interval '1 h', md5(i::text)::uuid",
                {"at", "id"}},
        KeyCase{"three", "a int, b text, c date", "i % 3, 'b' || i % 7, date '2026-01-01' + i", {"a", "b", "c"}}),
    [](const auto& parameter) { return parameter.param.name; });

TEST_F(PostgresScanTest, EnumKeysFollowTheEnumsOwnOrder) {
  run("CREATE TYPE {}.size AS ENUM ('small', 'medium', 'large', 'huge', 'endless')");
  run("CREATE TABLE {}.t (size {}.size PRIMARY KEY, label text)");
  run("INSERT INTO {}.t SELECT s, s::text FROM unnest(enum_range(NULL::{}.size)) s");
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"size"});
  const auto plan = source->plan_partitions(whole, {.partitions = 3}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  const auto reading = read_ranges(*source, whole, plan->ranges);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, ask("SELECT size, label FROM {}.t ORDER BY t.size"));
  EXPECT_EQ(reading->rows.size(), 5U);
}

class PostgresFilterTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    run("CREATE TYPE {}.mood AS ENUM ('ok', 'sad')");
    run(R"(CREATE TABLE {}.t (id int PRIMARY KEY, tenant text, i2 smallint, n numeric(10,2), f real, b bool, at timestamptz,
           local timestamp, day date, u uuid, mood {}.mood, address inet, code char(6), note text))");
    run(R"(INSERT INTO {}.t SELECT i, 'tenant ''' || i % 2 || '''', i, i / 4.0, i / 10.0, i % 2 = 0,
           timestamptz '2026-01-01Z' + i * interval '1 h', timestamp '2026-01-01' + i * interval '1 h',
           date '2026-01-01' + i, md5(i::text)::uuid, (ARRAY['ok', 'sad'])[1 + i % 2]::{}.mood, inet '10.0.0.0' + i,
           'c' || i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'note ' || i END FROM generate_series(1, 40) i)");
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

Filter filter(const std::string& column, FilterOp op, const char* type, std::vector<std::string> values) {
  Filter filter{.column = column, .op = op, .values = {}};
  for (std::string& value : values) filter.values.push_back({.type = *parse_data_type(type), .text = std::move(value)});
  return filter;
}

TEST_F(PostgresFilterTest, EveryTypeIsComparedAsWhatItIs) {
  using testing::ElementsAre;
  EXPECT_THAT(ids({filter("i2", FilterOp::eq, "int16", {"7"})}), ElementsAre(7));
  EXPECT_THAT(ids({filter("id", FilterOp::in, "int64", {"7", "9", "99999999999"})}), ElementsAre(7, 9));
  EXPECT_THAT(ids({filter("id", FilterOp::gt, "int32", {"2"}), filter("id", FilterOp::lte, "int32", {"4"})}),
              ElementsAre(3, 4));
  EXPECT_THAT(ids({filter("n", FilterOp::gte, "numeric(10,2)", {"9.75"})}), ElementsAre(39, 40));
  EXPECT_THAT(ids({filter("f", FilterOp::eq, "float32", {"0.1"})}), ElementsAre(1));
  EXPECT_EQ(ids({filter("b", FilterOp::eq, "bool", {"true"})}).size(), 20U);
  EXPECT_THAT(ids({filter("at", FilterOp::lt, "timestamptz", {"2026-01-01T03:00:00Z"})}), ElementsAre(1, 2));
  EXPECT_THAT(ids({filter("local", FilterOp::lt, "timestamp", {"2026-01-01T03:00:00Z"})}), ElementsAre(1, 2));
  EXPECT_THAT(ids({filter("day", FilterOp::eq, "date", {"2026-01-05"})}), ElementsAre(4));
  EXPECT_THAT(ids({filter("u", FilterOp::eq, "uuid", {"c4ca4238-a0b9-2382-0dcc-509a6f75849b"})}), ElementsAre(1));
  EXPECT_EQ(ids({filter("mood", FilterOp::eq, "text", {"sad"})}).size(), 20U);
  EXPECT_THAT(ids({filter("address", FilterOp::eq, "text", {"10.0.0.5"})}), ElementsAre(5));
  EXPECT_THAT(ids({filter("code", FilterOp::in, "text", {"c3", "c4"})}), ElementsAre(3, 4));
  EXPECT_EQ(ids({filter("note", FilterOp::is_null, "text", {})}).size(), 13U);
  EXPECT_TRUE(ids({filter("note", FilterOp::in, "text", {})}).empty());
}

TEST_F(PostgresFilterTest, ValuesNeverBecomeSql) {
  for (const std::string hostile : {"x' OR '1'='1", "'; DROP TABLE t; --", "\\' OR 1=1 --", "$$ || pg_sleep(9) || $$",
                                    "note 1'::text OR TRUE --", "\"", "%s%n{0}", "E'\\x27'"}) {
    EXPECT_TRUE(ids({filter("note", FilterOp::eq, "text", {hostile})}).empty()) << hostile;
  }
  // A hostile tenant sees nothing; the right one, awkward as its name is, its own rows.
  spec_.dataset.tenant_column = "tenant";
  spec_.tenant = "x' OR tenant IS NOT NULL --";
  EXPECT_TRUE(ids({}).empty());
  spec_.tenant = "tenant '1'";
  EXPECT_EQ(ids({}).size(), 20U);
  EXPECT_EQ(ask("SELECT count(*) FROM {}.t"), (std::vector<TextRow>{{"40"}}));
  // A value that is no number cannot be smuggled in as one.
  spec_.filters = {filter("id", FilterOp::eq, "int32", {"1 OR TRUE"})};
  expect_error(read_range(*source_, spec_, {}), "source_schema_changed", "invalid input syntax");
}

TEST_F(PostgresFilterTest, NulAndBrokenUtf8AreRefused) {
  spec_.filters = {filter("note", FilterOp::eq, "text", {std::string("a\0b", 3)})};
  expect_error(read_range(*source_, spec_, {}), "bad_filter_value", "NUL");
  spec_.filters = {filter("note", FilterOp::eq, "text", {"\xC3("})};
  expect_error(read_range(*source_, spec_, {}), "bad_filter_value", "UTF-8");
}

TEST_F(PostgresScanTest, NamesAreQuotedWhateverTheyContain) {
  run(R"(CREATE TABLE {}."odd ""table"" name" ("Key;--" int PRIMARY KEY, "select" text, "quote""d" text))");
  run(R"(INSERT INTO {}."odd ""table"" name" VALUES (1, 'a', 'b'))");
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "odd \"table\" name", {"Key;--"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, (std::vector<TextRow>{{"1", "a", "b"}}));
}

TEST_F(PostgresScanTest, TheSessionIsReadOnlyAndNamed) {
  run("CREATE TABLE {}.log (who text)");
  run("CREATE FUNCTION {}.spy() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('application_name') || ' ' || "
      "current_setting('transaction_read_only') || ' ' || current_setting('statement_timeout') || ' ' || "
      "current_setting('TimeZone') $$");
  run("CREATE VIEW {}.t AS SELECT 1 AS id, {}.spy() AS label");
  Source settings = source_settings();
  settings.statement_timeout = std::chrono::seconds(7);
  const auto source = open(settings);
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, (std::vector<TextRow>{{"1", "longshore/test on 7s UTC"}}));
}

TEST_F(PostgresScanTest, NoMoreConnectionsThanAllowed) {
  run("CREATE TABLE {}.t AS SELECT i AS id, 'x'::text AS label FROM generate_series(1, 10) i");
  Source settings = source_settings();
  settings.max_connections = 1;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  auto first = source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 3}, .label = "first"}, {});
  ASSERT_TRUE(first);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*first)->next(batch));
  // The only connection is taken until the first scan is gone, and waiting for it can be stopped.
  std::stop_source stop;
  auto second = source->open_scan({.spec = &whole, .range = {}, .batch = {}, .label = "second"}, stop.get_token());
  ASSERT_TRUE(second);
  stop.request_stop();
  RowBatch other = batch_for(whole);
  expect_error((*second)->next(other), "scan_stopped", "stopped");
  first->reset();
  const auto reading = read_range(*source, whole, {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows.size(), 10U);
}

TEST_F(PostgresScanTest, LargeRowsAndManyRows) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, label text)");
  run("INSERT INTO {}.t SELECT i, repeat(md5(i::text), 30000) FROM generate_series(1, 12) i");
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, ask(kRows));
  EXPECT_EQ(reading->batch_rows.size(), 6U);  // two of 960,000 bytes reach a megabyte
}

}  // namespace
}  // namespace longshore
