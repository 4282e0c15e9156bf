#include <chrono>
#include <thread>

#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;

class PostgresRecoveryTest : public PostgresTest {
 protected:
  void make_rows(int rows) {
    run("CREATE TABLE {}.t (id int PRIMARY KEY, label text)");
    run("INSERT INTO {}.t SELECT i, repeat('x', 200) || i FROM generate_series(1, " + std::to_string(rows) + ") i");
  }
  /// A view `slow(id, label)` on the rows, each of which takes `seconds` to compute.
  void make_slow_view(const std::string& seconds) {
    // Stable, so that a LIMIT below the sort spares the rows that are not asked for.
    run("CREATE FUNCTION {}.nap(label text) RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(" +
        seconds + "); RETURN label; END $$");
    run("CREATE VIEW {}.slow AS SELECT id, {}.nap(label) AS label FROM {}.t");
  }
  std::string application(const std::string& label) const { return "longshore/" + schema() + label; }
  /// Ends the scan's session as an administrator or a failover would.
  void terminate(const std::string& label) {
    run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = '" + application(label) +
        "'");
  }
};

TEST_F(PostgresRecoveryTest, LostConnectionsLoseAndDoubleNothing) {
  make_rows(6000);
  Source settings = source_settings();
  settings.batch_rows = 400;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  const BatchLimits limits{.rows = 333, .bytes = 1 << 20};
  const auto expected = read_range(*source, whole, {}, limits);
  ASSERT_TRUE(expected);
  EXPECT_EQ(expected->rows, ask("SELECT id::text, label FROM {}.t ORDER BY t.id"));

  auto scan = source->open_scan({.spec = &whole, .range = {}, .batch = limits, .label = schema() + "cut"}, {});
  ASSERT_TRUE(scan);
  Reading reading;
  RowBatch batch = batch_for(whole);
  for (int i = 0;; ++i) {
    const auto more = (*scan)->next(batch);
    ASSERT_TRUE(more) << more.error().message;
    if (!*more) break;
    append_rows(batch, reading);
    if (i % 3 == 0) terminate("cut");
  }
  EXPECT_EQ(reading.rows, expected->rows);
  EXPECT_EQ(reading.batch_rows, expected->batch_rows);
  EXPECT_EQ(reading.last_keys, expected->last_keys);
}

TEST_F(PostgresRecoveryTest, TheNextReplicaTakesOver) {
  make_rows(1000);
  Source settings = source_settings();
  // Nobody listens on a reserved port of loopback.
  settings.replicas = {"host=127.0.0.1 port=1 user=postgres dbname=postgres", dsn()};
  settings.primary = "host=127.0.0.1 port=1";
  const auto source = open(settings);
  EXPECT_TRUE(source->ping());
  const auto reading = read_range(*source, spec(*source, "t", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows.size(), 1000U);
}

TEST_F(PostgresRecoveryTest, GivesUpWhenNobodyAnswers) {
  make_rows(10);
  const ExportSpec whole = spec(*open(), "t", {"id"});
  Source settings = source_settings();
  settings.primary = "host=127.0.0.1 port=1 user=postgres password=hush-hush dbname=postgres";
  const auto source = open(settings);
  const auto reading = read_range(*source, whole, {});
  expect_error(reading, "source_unavailable", "Connection refused");
  EXPECT_TRUE(reading.error().retriable);
  EXPECT_THAT(reading.error().message, testing::HasSubstr("source app"));
  EXPECT_THAT(reading.error().message, testing::Not(testing::HasSubstr("hush")));
  expect_error(source->ping(), "source_unavailable", "Connection refused");
}

TEST_F(PostgresRecoveryTest, WaitingForAServerCanBeStopped) {
  make_rows(10);
  const ExportSpec whole = spec(*open(), "t", {"id"});
  Source settings = source_settings();
  settings.primary = "host=127.0.0.1 port=1 user=postgres dbname=postgres";
  std::stop_source stop;
  auto scan = open(settings)->open_scan({.spec = &whole, .range = {}, .batch = {}, .label = "x"}, stop.get_token());
  ASSERT_TRUE(scan);
  stop.request_stop();
  RowBatch batch = batch_for(whole);
  expect_error((*scan)->next(batch), "scan_stopped", "stopped");
}

TEST_F(PostgresRecoveryTest, DenialIsFinalAndNamesNoPassword) {
  make_rows(10);
  const ExportSpec whole = spec(*open(), "t", {"id"});
  run("CREATE ROLE " + schema() + "_nobody LOGIN");
  Source settings = source_settings();
  settings.primary = dsn() + " user=" + schema() + "_nobody password=hush-hush";
  const auto denied = read_range(*open(settings), whole, {});
  expect_error(denied, "source_denied", "permission denied for schema");
  run("GRANT USAGE ON SCHEMA {} TO " + schema() + "_nobody");
  const auto refused = read_range(*open(settings), whole, {});
  expect_error(refused, "source_denied", "permission denied for table t");
  EXPECT_FALSE(refused.error().retriable);
  run("DROP OWNED BY " + schema() + "_nobody; DROP ROLE " + schema() + "_nobody");

  settings.primary = dsn() + " user=hush_hush_nobody password=hush-hush";
  const auto unknown = open(settings)->ping();
  expect_error(unknown, "source_denied", "does not exist");
  EXPECT_THAT(unknown.error().message, testing::Not(testing::HasSubstr("hush-hush")));
  settings.primary = dsn() + " dbname=longshore_no_such_database";
  expect_error(open(settings)->ping(), "source_denied", "longshore_no_such_database");
}

TEST_F(PostgresRecoveryTest, BrokenConnectionStringsAreNotRepeated) {
  Source settings = source_settings();
  settings.primary = "host=x password='hush-hush";
  const auto source = make_source(settings);
  expect_error(source, "bad_source", "source app");
  EXPECT_THAT(source.error().message, testing::Not(testing::HasSubstr("hush")));
  settings.primary.clear();
  expect_error(make_source(settings), "bad_source", "neither replicas nor a primary");
}

TEST_F(PostgresRecoveryTest, StatementTimeoutsAreAnsweredBySmallerStatements) {
  make_rows(400);
  // 2 ms a row: a full statement takes longer than allowed, a hundred rows do not.
  make_slow_view("0.002");
  Source settings = source_settings();
  settings.statement_timeout = 500ms;
  settings.batch_rows = 400;
  const auto source = open(settings);
  const auto reading = read_range(*source, spec(*source, "slow", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, ask("SELECT id::text, label FROM {}.t ORDER BY t.id"));
}

TEST_F(PostgresRecoveryTest, AHopelessTimeoutIsReported) {
  make_rows(3);
  make_slow_view("60");
  Source settings = source_settings();
  settings.statement_timeout = 100ms;
  settings.batch_rows = 200;
  const auto source = open(settings);
  const auto reading = read_range(*source, spec(*source, "slow", {"id"}), {});
  expect_error(reading, "source_timeout", "even 100 rows take longer than the statement timeout");
  EXPECT_TRUE(reading.error().retriable);
}

TEST_F(PostgresRecoveryTest, StopEndsARunningStatement) {
  make_rows(3);
  make_slow_view("60");
  const auto source = open();
  const ExportSpec whole = spec(*source, "slow", {"id"});
  std::stop_source stop;
  auto scan =
      source->open_scan({.spec = &whole, .range = {}, .batch = {}, .label = schema() + "stop"}, stop.get_token());
  ASSERT_TRUE(scan);
  const std::string running =
      "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY%' AND application_name = '" +
      application("stop") + "'";
  std::chrono::steady_clock::time_point stopped;
  std::jthread stopper([&] {
    while (ask(running).empty()) std::this_thread::yield();
    stopped = std::chrono::steady_clock::now();
    stop.request_stop();
  });
  RowBatch batch = batch_for(whole);
  const auto answer = (*scan)->next(batch);
  stopper.join();
  expect_error(answer, "scan_stopped", "stopped");
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, 2s);  // well under the minute of a row, on any machine
  scan->reset();
  while (!ask(running).empty()) std::this_thread::yield();  // the server was told, too
}

TEST_F(PostgresRecoveryTest, AnAbandonedScanLeavesNothingRunning) {
  make_rows(5000);
  Source settings = source_settings();
  settings.batch_rows = 100;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  auto scan = source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 100}, .label = schema() + "gone"}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch));
  scan->reset();
  while (!ask("SELECT 1 FROM pg_stat_activity WHERE application_name = '" + application("gone") + "'").empty()) {
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace longshore
