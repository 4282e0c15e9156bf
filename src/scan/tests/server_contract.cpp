#include <thread>

#include "scan/tests/scan_contract.h"

// What can happen to a session with a server.

namespace longshore {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST_P(ServerContract, LostConnectionsLoseAndDoubleNothing) {
  const std::vector<TextRow> rows = make_rows(6000);
  Source settings = database_->settings();
  settings.batch_rows = 400;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  const BatchLimits limits{.rows = 333, .bytes = 1 << 20};
  const auto expected = read_range(*source, whole, {}, limits);
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(expected->rows, rows);

  auto scan = open_scan(*source, whole, limits);
  ASSERT_TRUE(scan);
  const auto reading = read_steps(**scan, whole, [&](int i) {
    if (i % 3 == 0) database_->end_sessions();
  });
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, expected->rows);
  EXPECT_EQ(reading->batch_rows, expected->batch_rows);
  EXPECT_EQ(reading->last_keys, expected->last_keys);
}

TEST_P(ServerContract, AMomentIsLostWithItsOnlySession) {
  make_rows(1000);
  Source settings = database_->settings();
  settings.batch_rows = 100;
  const auto source = open(settings);
  if (!source->reads_one_moment()) GTEST_SKIP() << "its snapshots are kept by sessions of their own";
  const ExportSpec whole = spec(*source, "t", {"id"});
  auto scan = source->open_scan(
      {.spec = &whole, .range = {}, .batch = {.rows = 150}, .label = database_->label(), .one_moment = true}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch));
  database_->end_sessions();
  auto more = (*scan)->next(batch);
  while (more && *more) more = (*scan)->next(batch);
  expect_error(more, "snapshot_gone", "no other can read the same");
  EXPECT_TRUE(more.error().retriable);
}

TEST_P(ServerContract, TheNextReplicaTakesOver) {
  const std::vector<TextRow> rows = make_rows(1000);
  Source settings = database_->settings();
  settings.replicas = {database_->nowhere_address(), database_->address()};
  settings.primary = database_->nowhere_address();
  const auto source = open(settings);
  EXPECT_TRUE(source->ping());
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto plan = source->plan_partitions(whole, {.partitions = 2}, {});
  ASSERT_TRUE(plan) << plan.error().message;
  const auto reading = read_ranges(*source, whole, plan->ranges);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, rows);
}

TEST_P(ServerContract, WaitingForAServerCanBeStopped) {
  make_rows(10);
  const ExportSpec whole = spec(*open(), "t", {"id"});
  const auto source = open(database_->nowhere());
  std::stop_source stop;
  auto scan = open_scan(*source, whole, {}, stop.get_token());
  ASSERT_TRUE(scan);
  stop.request_stop();
  RowBatch batch = batch_for(whole);
  expect_error((*scan)->next(batch), "scan_stopped", "stopped");
}

TEST_P(ServerContract, DenialIsFinalAndNamesNoPassword) {
  make_rows(10);
  const ExportSpec whole = spec(*open(), "t", {"id"});
  Source settings = database_->settings();
  settings.primary = database_->stranger_address();
  const auto denied = read_range(*open(settings), whole, {});
  expect_error(denied, "source_denied", "denied");
  EXPECT_FALSE(denied.error().retriable);
  EXPECT_THAT(denied.error().message, Not(HasSubstr("hush-hush")));
  settings.primary = database_->refused_address();
  const auto refused = open(settings)->ping();
  expect_error(refused, "source_denied", "source app");
  EXPECT_THAT(refused.error().message, Not(HasSubstr("hush-hush")));
  settings.primary = database_->unknown_database_address();
  expect_error(open(settings)->ping(), "source_denied", "no_such_database");
}

TEST_P(ServerContract, StatementTimeoutsAreAnsweredBySmallerStatements) {
  const std::vector<TextRow> rows = make_rows(400);
  // A full statement takes longer than allowed, a hundred rows a third of it.
  database_->make_slow_view(8ms);
  Source settings = database_->settings();
  settings.statement_timeout = 2500ms;
  settings.batch_rows = 400;
  const auto source = open(settings);
  const auto reading = read_range(*source, spec(*source, "slow", {"id"}), {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, rows);
}

TEST_P(ServerContract, AHopelessTimeoutIsReported) {
  make_rows(3);
  database_->make_slow_view(60s);
  Source settings = database_->settings();
  settings.statement_timeout = 100ms;
  settings.batch_rows = 200;
  const auto source = open(settings);
  const auto reading = read_range(*source, spec(*source, "slow", {"id"}), {});
  expect_error(reading, "source_timeout", "even 100 rows take longer than the statement timeout");
  EXPECT_TRUE(reading.error().retriable);
}

TEST_P(ServerContract, StopEndsARunningStatement) {
  make_rows(3);
  database_->make_slow_view(300s);
  Source settings = database_->settings();
  settings.statement_timeout = 300s;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "slow", {"id"});
  std::stop_source stop;
  auto scan = open_scan(*source, whole, {}, stop.get_token());
  ASSERT_TRUE(scan);
  std::chrono::steady_clock::time_point stopped;
  std::jthread stopper([&] {
    EXPECT_TRUE(eventually([&] { return database_->is_running(); }));
    stopped = std::chrono::steady_clock::now();
    stop.request_stop();
  });
  RowBatch batch = batch_for(whole);
  const auto answer = (*scan)->next(batch);
  stopper.join();
  expect_error(answer, "scan_stopped", "stopped");
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, 60s);  // and not at the end of the row
  scan->reset();
  EXPECT_TRUE(eventually([&] { return !database_->is_running(); })) << "the server was not told";
}

TEST_P(ServerContract, AnAbandonedScanLeavesNothingRunning) {
  make_rows(3000);
  database_->make_slow_view(1ms);
  const auto source = open();
  const ExportSpec whole = spec(*source, "slow", {"id"});
  auto scan = open_scan(*source, whole, {.rows = 1});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch));
  scan->reset();
  EXPECT_TRUE(eventually([&] { return !database_->is_running(); }));
}

TEST_P(ServerContract, AColumnThatGoesInTheMiddleOfAScanIsNamed) {
  make_rows(1000);
  Source settings = database_->settings();
  settings.batch_rows = 100;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  auto scan = open_scan(*source, whole, {.rows = 50});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch));
  run("ALTER TABLE t DROP COLUMN label");
  auto more = (*scan)->next(batch);
  while (more && *more) more = (*scan)->next(batch);
  expect_error(more, "source_schema_changed", "label");
}

TEST_P(ServerContract, ThePrimaryServesSmallExportsOnly) {
  make_rows(3000);
  database_->analyze("t");
  Source settings = database_->settings();
  settings.primary_max_rows = 1000;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto refused = read_range(*source, whole, {});
  expect_error(refused, "primary_refused", "app");
  EXPECT_FALSE(refused.error().retriable) << "there is no replica that could come back";
  expect_error(source->plan_partitions(whole, {.partitions = 2}, {}), "primary_refused", "app");
  settings.primary_max_rows = 30'000;
  const auto served = read_range(*open(settings), whole, {});
  ASSERT_TRUE(served) << served.error().message;
  EXPECT_EQ(served->rows.size(), 3000U);
}

}  // namespace
}  // namespace longshore
