#include "scan/tests/scan_contract.h"

#include <algorithm>
#include <numeric>

// Reading ranges of rows.

namespace longshore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<TextRow> part(const std::vector<TextRow>& rows, std::size_t from, std::size_t to) {
  return {rows.begin() + static_cast<std::ptrdiff_t>(from), rows.begin() + static_cast<std::ptrdiff_t>(to)};
}

TEST_P(ScanContract, AnEmptyRelationHasNoBatch) {
  make_rows(0);
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_THAT(reading->rows, IsEmpty());
  EXPECT_THAT(reading->batch_rows, IsEmpty());
}

TEST_P(ScanContract, AnEmptyRangeReadsNothing) {
  make_rows(3);
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {.after = {}, .upto = {}, .empty = true});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_THAT(reading->rows, IsEmpty());
}

TEST_P(ScanContract, AFinishedScanStaysFinished) {
  make_rows(3);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  auto scan = source->open_scan({.spec = &whole, .range = {}, .batch = {}, .label = "test"}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  EXPECT_TRUE((*scan)->next(batch).value());
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE((*scan)->next(batch).value());
    EXPECT_EQ(batch.row_count(), 0U);
  }
}

TEST_P(ScanContract, RangesAreOpenBelowAndClosedAbove) {
  run("CREATE TABLE t (id int PRIMARY KEY, label varchar(10))");
  run("INSERT INTO t VALUES (40, 'd'), (10, 'a'), (30, 'c'), (20, 'b'), (50, 'e')");
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto labels = [&](std::optional<KeyTuple> after, std::optional<KeyTuple> upto) {
    const auto reading = read_range(*source, whole, {.after = std::move(after), .upto = std::move(upto)});
    if (!reading) return reading.error().message;
    std::string text;
    for (const TextRow& row : reading->rows) text += *row[1];
    return text;
  };
  EXPECT_EQ(labels({}, {}), "abcde");
  EXPECT_EQ(labels(KeyTuple{"20"}, KeyTuple{"40"}), "cd");
  EXPECT_EQ(labels(KeyTuple{"20"}, {}), "cde");
  EXPECT_EQ(labels({}, KeyTuple{"20"}), "ab");
  // Both ends may be keys that no row has (any more).
  EXPECT_EQ(labels(KeyTuple{"11"}, KeyTuple{"39"}), "bc");
  EXPECT_EQ(labels(KeyTuple{"-5"}, KeyTuple{"1000"}), "abcde");
  EXPECT_EQ(labels(KeyTuple{"50"}, {}), "");
  EXPECT_EQ(labels(KeyTuple{"20"}, KeyTuple{"20"}), "");
  EXPECT_EQ(labels(KeyTuple{"40"}, KeyTuple{"20"}), "");
}

TEST_P(ScanContract, KeysOfSeveralColumnsAreComparedFromTheFirst) {
  run("CREATE TABLE t (a int NOT NULL, b varchar(10) NOT NULL, c int NOT NULL, PRIMARY KEY (a, b, c))");
  std::string values;
  std::vector<TextRow> all;
  for (int a = 1; a <= 3; ++a) {
    for (const char* b : {"p", "q"}) {
      for (int c = 1; c <= 3; ++c) {
        all.push_back({std::to_string(a), b, std::to_string(c)});
        values += (values.empty() ? "(" : ", (") + std::to_string(a) + ", '" + b + "', " + std::to_string(c) + ")";
      }
    }
  }
  run("INSERT INTO t VALUES " + values);
  Source settings = database_->settings();
  settings.batch_rows = 4;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"a", "b", "c"});
  for (std::size_t from = 0; from < all.size(); ++from) {
    for (std::size_t to = from; to < all.size(); to += 3) {
      const KeyTuple after{*all[from][0], *all[from][1], *all[from][2]};
      const KeyTuple upto{*all[to][0], *all[to][1], *all[to][2]};
      const auto reading = read_range(*source, whole, {.after = after, .upto = upto});
      ASSERT_TRUE(reading) << reading.error().message;
      EXPECT_EQ(reading->rows, part(all, from + 1, std::max(from, to) + 1)) << to_json(after) << to_json(upto);
    }
  }
}

TEST_P(ScanContract, BatchesDependOnRowsAndNotOnStatements) {
  const std::vector<TextRow> rows = make_rows(2000);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  const BatchLimits limits{.rows = 150, .bytes = 20'000};
  const auto expected = read_range(*source, whole, {}, limits);
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(expected->rows, rows);
  EXPECT_GT(expected->batch_rows.size(), 13U);
  for (const int batch_rows : {1, 7, 100, 150, 151, 10'000}) {
    SCOPED_TRACE(batch_rows);
    Source settings = database_->settings();
    settings.batch_rows = batch_rows;
    const auto reading = read_range(*open(settings), whole, {}, limits);
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_EQ(reading->rows, expected->rows);
    EXPECT_EQ(reading->batch_rows, expected->batch_rows);
    EXPECT_EQ(reading->last_keys, expected->last_keys);
  }
}

TEST_P(ScanContract, AScanThatBeginsBehindAnyBatchMakesTheBatchesThatFollow) {
  const std::vector<TextRow> rows = make_rows(700);
  Source settings = database_->settings();
  settings.batch_rows = 90;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  const BatchLimits limits{.rows = 60, .bytes = 10'000};
  const auto expected = read_range(*source, whole, {}, limits);
  ASSERT_TRUE(expected) << expected.error().message;
  std::size_t before = 0;
  for (std::size_t i = 0; i < expected->last_keys.size(); ++i) {
    before += expected->batch_rows[i];
    EXPECT_EQ(expected->last_keys[i], KeyTuple{*rows[before - 1][0]});
    const auto rest = read_range(*source, whole, {.after = expected->last_keys[i], .upto = {}}, limits);
    ASSERT_TRUE(rest) << rest.error().message;
    EXPECT_EQ(rest->rows, part(rows, before, rows.size()));
    EXPECT_THAT(rest->batch_rows,
                testing::ElementsAreArray(expected->batch_rows.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                          expected->batch_rows.end()));
  }
}

TEST_P(ScanContract, BatchesEndAtTheLimitThatComesFirst) {
  run("CREATE TABLE t (id int PRIMARY KEY, label varchar(500))");
  std::string values;
  for (int id = 1; id <= 100; ++id) {
    values += (id == 1 ? "(" : ", (") + std::to_string(id) + ", '" + std::string(200, 'x') + "')";
  }
  run("INSERT INTO t VALUES " + values);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto by_rows = read_range(*source, whole, {}, {.rows = 30, .bytes = 1 << 20});
  ASSERT_TRUE(by_rows);
  EXPECT_THAT(by_rows->batch_rows, ElementsAre(30, 30, 30, 10));
  const auto by_bytes = read_range(*source, whole, {}, {.rows = 1000, .bytes = 2000});
  ASSERT_TRUE(by_bytes);
  // About 210 bytes a row: the batch ends with the row that reaches the limit.
  EXPECT_GE(by_bytes->batch_rows.front(), 9U);
  EXPECT_LE(by_bytes->batch_rows.front(), 10U);
  const auto tiny = read_range(*source, whole, {}, {.rows = 1000, .bytes = 1});
  ASSERT_TRUE(tiny);
  EXPECT_EQ(tiny->batch_rows, std::vector<std::size_t>(100, 1U));
}

TEST_P(ScanContract, LargeRows) {
  run("CREATE TABLE t (id int PRIMARY KEY, label " +
      std::string(database_->settings().driver == SourceDriver::mysql ? "longtext)" : "text)"));
  std::vector<TextRow> rows;
  for (int id = 1; id <= 12; ++id) {
    rows.push_back({std::to_string(id), std::string(960'000, static_cast<char>('a' + id))});
    run("INSERT INTO t VALUES (" + *rows.back()[0] + ", '" + *rows.back()[1] + "')");
  }
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_TRUE(reading->rows == rows);         // not EXPECT_EQ, which would show them
  EXPECT_EQ(reading->batch_rows.size(), 6U);  // two reach a megabyte
}

TEST_P(ScanContract, EmptyTextIsNoNull) {
  run("CREATE TABLE t (id int PRIMARY KEY, n int, note varchar(10), d decimal(10,2), day date)");
  run("INSERT INTO t VALUES (1, 0, '', 0, '2026-01-01'), (2, NULL, NULL, NULL, NULL), (3, 1, 'NULL', 1.5, NULL)");
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_THAT(reading->rows[0], ElementsAre("1", "0", "", "0.00", "2026-01-01"));
  EXPECT_THAT(reading->rows[1], ElementsAre("2", std::nullopt, std::nullopt, std::nullopt, std::nullopt));
  EXPECT_THAT(reading->rows[2], ElementsAre("3", "1", "NULL", "1.50", std::nullopt));
}

TEST_P(ScanContract, EveryOperatorOfAFilter) {
  run("CREATE TABLE t (id int PRIMARY KEY, n int, note varchar(20))");
  run("INSERT INTO t VALUES (1, 10, 'one'), (2, 20, 'two'), (3, 30, 'three'), (4, 40, NULL), (5, NULL, '')");
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto number = [&](FilterOp op, std::vector<std::string> values) {
    return ids_of(*source, whole, {filter_of("n", op, "int32", std::move(values))});
  };
  EXPECT_THAT(number(FilterOp::eq, {"20"}), ElementsAre(2));
  EXPECT_THAT(number(FilterOp::in, {"10", "40", "99"}), ElementsAre(1, 4));
  EXPECT_THAT(number(FilterOp::in, {}), IsEmpty());
  EXPECT_THAT(number(FilterOp::gt, {"20"}), ElementsAre(3, 4));
  EXPECT_THAT(number(FilterOp::gte, {"20"}), ElementsAre(2, 3, 4));
  EXPECT_THAT(number(FilterOp::lt, {"20"}), ElementsAre(1));
  EXPECT_THAT(number(FilterOp::lte, {"20"}), ElementsAre(1, 2));
  EXPECT_THAT(number(FilterOp::is_null, {}), ElementsAre(5));
  EXPECT_THAT(ids_of(*source, whole, {filter_of("note", FilterOp::is_null, "text", {})}), ElementsAre(4));
  EXPECT_THAT(ids_of(*source, whole, {filter_of("note", FilterOp::eq, "text", {""})}), ElementsAre(5));
  // All of them hold.
  EXPECT_THAT(ids_of(*source, whole,
                     {filter_of("n", FilterOp::gte, "int32", {"20"}), filter_of("n", FilterOp::lt, "int32", {"40"}),
                      filter_of("note", FilterOp::in, "text", {"one", "three"})}),
              ElementsAre(3));
}

TEST_P(ScanContract, ValuesNeverBecomeSql) {
  run("CREATE TABLE t (id int PRIMARY KEY, tenant varchar(60), note varchar(60))");
  run("INSERT INTO t VALUES (1, 'tenant ''1''', 'note 1'), (2, 'tenant ''2''', 'it''s \\ \"x\"'), (3, 'tenant ''1''', "
      "'x')");
  const auto source = open();
  ExportSpec whole = spec(*source, "t", {"id"});
  const auto ids = [&](const std::string& note) {
    return ids_of(*source, whole, {filter_of("note", FilterOp::eq, "text", {note})});
  };
  for (const std::string hostile :
       {"x' OR '1'='1", "'; DROP TABLE t; --", "\\' OR 1=1 --", "\\", "note 1'--", "\"", "%s%n{0}", "?1", "$1",
        "$$ || pg_sleep(9) || $$", "note 1'::text OR TRUE --", "E'\\x27'", "/*!50000 x*/", "\" OR 1=1 --"}) {
    EXPECT_THAT(ids(hostile), IsEmpty()) << hostile;
  }
  EXPECT_THAT(ids("it's \\ \"x\""), ElementsAre(2));
  whole.dataset.tenant_column = "tenant";
  for (const char* tenant : {"x' OR tenant IS NOT NULL --", "a' OR '1'='1", "tenant '3'", ""}) {
    whole.tenant = tenant;
    EXPECT_THAT(ids_of(*source, whole, {}), IsEmpty()) << tenant;
  }
  whole.tenant = "tenant '1'";
  EXPECT_THAT(ids_of(*source, whole, {}), ElementsAre(1, 3));
  EXPECT_THAT(ids_of(*source, whole, {filter_of("id", FilterOp::lt, "int32", {"3"})}), ElementsAre(1));
  // What is no number cannot be smuggled in as one.
  whole.filters = {filter_of("id", FilterOp::eq, "int32", {"1 OR TRUE"})};
  const auto number = read_range(*source, whole, {});
  ASSERT_FALSE(number);
  EXPECT_THAT(number.error().code, testing::AnyOf("bad_filter_value", "source_schema_changed"));
  EXPECT_EQ(ask("SELECT count(*) FROM t"), (std::vector<TextRow>{{"3"}}));
}

TEST_P(ScanContract, ValuesThatAreNoTextFindNothing) {
  run("CREATE TABLE t (id int PRIMARY KEY, note varchar(60))");
  run("INSERT INTO t VALUES (1, 'a')");
  const auto source = open();
  ExportSpec whole = spec(*source, "t", {"id"});
  for (const std::string& value : {std::string("a\0b", 3), std::string("a\0", 2), std::string("\xC3(")}) {
    whole.filters = {filter_of("note", FilterOp::eq, "text", {value})};
    const auto reading = read_range(*source, whole, {});
    if (reading) {
      EXPECT_THAT(reading->rows, IsEmpty());
    } else {
      EXPECT_EQ(reading.error().code, "bad_filter_value") << reading.error().message;
      EXPECT_THAT(reading.error().message, testing::AnyOf(HasSubstr("NUL"), HasSubstr("UTF-8")));
    }
  }
}

TEST_P(ScanContract, NamesAreQuotedWhateverTheyContain) {
  run(R"(CREATE TABLE "odd ""table"" na`me" ("Key;--" int PRIMARY KEY, "select" varchar(9), "quote""d`" varchar(9)))");
  run(R"(INSERT INTO "odd ""table"" na`me" VALUES (1, 'a', 'b'))");
  const auto source = open();
  const auto reading = read_range(*source, spec(*source, "odd \"table\" na`me", {"Key;--"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, (std::vector<TextRow>{{"1", "a", "b"}}));
}

TEST_P(ScanContract, ChangesOfTheSchemaAreNamed) {
  make_rows(10);
  const auto source = open();
  const ExportSpec whole = spec(*source, "t", {"id"});
  run("ALTER TABLE t RENAME COLUMN label TO title");
  const auto renamed = read_range(*source, whole, {});
  expect_error(renamed, "source_schema_changed", "label");
  EXPECT_FALSE(renamed.error().retriable);
  run("DROP TABLE t");
  expect_error(read_range(*source, whole, {}), "source_schema_changed", "t");
}

TEST_P(ScanContract, ARequestToStopIsHeard) {
  make_rows(100);
  Source settings = database_->settings();
  settings.batch_rows = 10;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  std::stop_source stop;
  auto scan =
      source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 10}, .label = "test"}, stop.get_token());
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch).value());
  stop.request_stop();
  expect_error((*scan)->next(batch), "scan_stopped", "stopped");
}

TEST_P(ScanContract, NoMoreConnectionsThanAllowed) {
  make_rows(10);
  Source settings = database_->settings();
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

/// By snapshots that are shared, or by one session.
TEST_P(ScanContract, OneMomentCanBeRead) {
  database_->allow_moments();
  const std::vector<TextRow> rows = make_rows(1000);
  Source settings = database_->settings();
  settings.batch_rows = 70;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  if (!source->reads_one_moment()) {
    EXPECT_TRUE(source->take_snapshot(whole, "test", {}));
    return;
  }
  const auto refused = source->take_snapshot(whole, "test", {});
  expect_error(refused, "snapshot_unsupported", "best_effort");
  auto scan =
      source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 100}, .label = "test", .one_moment = true}, {});
  ASSERT_TRUE(scan);
  EXPECT_EQ((*scan)->moment(), nullptr) << "nothing was read";
  const auto reading = read_steps(**scan, whole, [&](int i) {
    ASSERT_NE((*scan)->moment(), nullptr);
    EXPECT_FALSE((*scan)->moment()->server.empty());
    EXPECT_GT((*scan)->moment()->taken_at, Timestamp{std::chrono::hours{24 * 365 * 50}});
    if (i != 0) return;
    run("UPDATE t SET label = 'later' WHERE id > 500");
    run("DELETE FROM t WHERE id > 900");
    add_rows(2000, 50);
  });
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, rows);
  // The next scan sees what came after.
  const auto after = read_range(*source, whole, {});
  ASSERT_TRUE(after);
  EXPECT_EQ(after->rows.size(), 950U);
}

TEST_P(ScanContract, WhereNobodyAnswersTheSourceIsUnavailable) {
  make_rows(10);
  const ExportSpec whole = spec(*open(), "t", {"id"});
  const auto source = open(database_->nowhere());
  const auto reading = read_range(*source, whole, {});
  expect_error(reading, "source_unavailable", "source app");
  EXPECT_TRUE(reading.error().retriable);
  EXPECT_THAT(reading.error().message, Not(HasSubstr("hush")));
  expect_error(source->ping(), "source_unavailable", "source app");
  expect_error(source->estimate(whole, {}), "source_unavailable", "source app");
  expect_error(source->plan_partitions(whole, {}, {}), "source_unavailable", "source app");
  EXPECT_TRUE(open()->ping());
}

TEST_P(KeyContract, PartitionsMakeUpTheWhole) {
  const KeyCase& test = std::get<1>(GetParam());
  std::string key;
  for (const std::string& column : test.key) key += (key.empty() ? "" : ", ") + column;
  run("CREATE TABLE t (" + test.columns + ", label varchar(40) NOT NULL, PRIMARY KEY (" + key + "))");
  run("INSERT INTO t SELECT " + test.values + ", 'row ' || i FROM " + database_->series(1000));
  database_->analyze("t");
  const auto whole = ask("SELECT label FROM t ORDER BY " + key);
  ASSERT_EQ(whole.size(), 1000U);

  Source settings = database_->settings();
  settings.batch_rows = 37;
  const auto source = open(settings);
  ExportSpec spec = this->spec(*source, "t", test.key);
  spec.columns = {spec.columns.back()};  // the label: the key is read besides
  for (const int partitions : {1, 2, 7}) {
    SCOPED_TRACE(partitions);
    const auto plan = source->plan_partitions(spec, {.partitions = partitions}, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->ranges.size(), static_cast<std::size_t>(partitions));
    const auto reading = read_ranges(*source, spec, plan->ranges, {.rows = 100});
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_EQ(reading->rows, whole);
    // Keys in text lead back to the very same place.
    const auto tail = read_range(*source, spec, {.after = reading->last_keys[2], .upto = {}});
    ASSERT_TRUE(tail) << tail.error().message;
    const std::size_t before = std::accumulate(reading->batch_rows.begin(), reading->batch_rows.begin() + 3, 0UL);
    EXPECT_EQ(tail->rows, part(whole, before, whole.size()));
  }
}

}  // namespace
}  // namespace longshore
