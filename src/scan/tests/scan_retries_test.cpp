#include "scan/pressure/scan_retries.h"

#include "scan/scan_errors.h"
#include "scan/tests/reading.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;

Source source_of(int batch_rows) {
  Source source;
  source.name = "app";
  source.batch_rows = batch_rows;
  return source;
}

TEST(ScanRetriesTest, StatementsShrinkAfterTimeoutsAndGrowSlowly) {
  ScanRetries retries(source_of(800), 1);
  EXPECT_EQ(retries.limit(), 800);
  EXPECT_TRUE(retries.timed_out(source_timeout("too slow")));
  EXPECT_TRUE(retries.timed_out(source_timeout("too slow")));
  EXPECT_EQ(retries.limit(), 200);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(retries.limit(), 200);
    retries.statement_ended_well();
  }
  EXPECT_EQ(retries.limit(), 400);
  for (int i = 0; i < 16; ++i) retries.statement_ended_well();
  EXPECT_EQ(retries.limit(), 800) << "and never more";
}

TEST(ScanRetriesTest, TheSmallestStatementsMayTimeOutTwice) {
  ScanRetries retries(source_of(100), 1);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(retries.timed_out(source_timeout("too slow")));
    EXPECT_TRUE(retries.timed_out(source_timeout("too slow")));
    EXPECT_EQ(retries.limit(), 100);
    retries.row_came();
  }
  EXPECT_TRUE(retries.timed_out(source_timeout("too slow")));
  EXPECT_TRUE(retries.timed_out(source_timeout("too slow")));
  expect_error(retries.timed_out(source_timeout("too slow")), "source_timeout", "source app: even 100 rows");
  ScanRetries few(source_of(7), 1);
  few.make_smaller();
  EXPECT_EQ(few.limit(), 7) << "less than the smallest is not made larger";
}

TEST(ScanRetriesTest, PausesGrowFromRoundToRoundOfTheServers) {
  ScanRetries retries(source_of(5000), 3);
  std::vector<Duration> pauses;
  pauses.reserve(6);
  for (int i = 0; i < 6; ++i) pauses.push_back(retries.session_lost(source_unavailable("gone"), {}).value());
  EXPECT_THAT(pauses, testing::ElementsAre(0ms, 0ms, 50ms, 0ms, 0ms, 100ms));
  expect_error(retries.session_lost(source_unavailable("gone"), {}), "source_unavailable", "gave up after 7 attempts");
}

TEST(ScanRetriesTest, WhatHoldsThePrimaryBackIsSaidInTheEnd) {
  ScanRetries retries(source_of(5000), 1);
  const std::optional<Error> refused = primary_refused("app", 20'000, 10'000, true);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(retries.session_lost(source_unavailable("gone"), refused));
  expect_error(retries.session_lost(source_unavailable("gone"), refused), "primary_refused", "gone");
}

TEST(ScanRetriesTest, ProgressEarnsAttemptsBack) {
  ScanRetries retries(source_of(5000), 1);
  // Twenty incidents, each with rows in between, use the budget up; from then on a full statement is worth one.
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(retries.session_lost(source_unavailable("gone"), {}));
    retries.row_came();
  }
  retries.statement_ended_well();
  EXPECT_TRUE(retries.session_lost(source_unavailable("gone"), {}));
  retries.row_came();
  EXPECT_FALSE(retries.session_lost(source_unavailable("gone"), {}));
}

}  // namespace
}  // namespace longshore
