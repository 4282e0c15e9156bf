#include "scan/pressure/lag_meter.h"

#include <gtest/gtest.h>

namespace longshore {
namespace {

using namespace std::chrono_literals;

class LagMeterTest : public testing::Test {
 protected:
  /// In milliseconds; -1: not known.
  std::int64_t after(std::chrono::milliseconds time, const LogPositions& seen) {
    now_ += time;
    last_ = meter_.add(now_, seen);
    return last_.value ? std::chrono::duration_cast<std::chrono::milliseconds>(*last_.value).count() : -1;
  }

  LagMeter meter_;
  Lag last_;
  std::chrono::steady_clock::time_point now_{1h};
};

TEST_F(LagMeterTest, AStandbyThatHasAppliedAllIsNotBehindHoweverOldTheLastCommitIs) {
  EXPECT_EQ(after(0s, {.received = 100, .applied = 100, .replay_age = 3h}), 0);
  EXPECT_TRUE(last_.measured);
  EXPECT_EQ(after(1s, {.received = 100, .applied = 100, .replay_age = 3h}), 0);
}

TEST_F(LagMeterTest, APrimaryThatBeginsToWriteAfterARestIsNoLag) {
  EXPECT_EQ(after(0s, {.received = 100, .applied = 100, .replay_age = 3h}), 0);
  // A large transaction is on its way; the last commit is as old as ever.
  EXPECT_EQ(after(1s, {.received = 900, .applied = 700, .replay_age = 3h}), 1000);
  EXPECT_EQ(after(1s, {.received = 2900, .applied = 1900, .replay_age = 3h}), 1000);
}

TEST_F(LagMeterTest, GrowsWhileReplayStandsAndFallsWhenItCatchesUp) {
  after(0s, {.received = 100, .applied = 100});
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(after(1s, {.received = 100 + i * 10, .applied = 104}), i * 1000);
  // What was received three seconds ago is applied.
  EXPECT_EQ(after(1s, {.received = 210, .applied = 185}), 3000);
  EXPECT_EQ(after(1s, {.received = 220, .applied = 220}), 0);
}

TEST_F(LagMeterTest, AStandbyThatIsNotFedKnowsNothingNew) {
  after(0s, {.received = 100, .applied = 100});
  EXPECT_EQ(after(1s, {.received = 100, .applied = 100, .fed = false}), 1000);
  EXPECT_EQ(after(9s, {.received = 100, .applied = 100, .fed = false}), 10'000);
  EXPECT_EQ(after(1s, {.received = 500, .applied = 100}), 11'000);
  EXPECT_EQ(after(1s, {.received = 500, .applied = 500}), 0);
}

TEST_F(LagMeterTest, WithoutHistoryTheLastCommitSpeaks) {
  EXPECT_EQ(after(0s, {.received = 100, .applied = 50, .replay_age = 20s}), 20'000);
  EXPECT_FALSE(last_.measured);
  EXPECT_EQ(after(1s, {.received = 100, .applied = 50, .replay_age = 21s}), 21'000);
  EXPECT_EQ(after(1s, {.received = 120, .applied = 105, .replay_age = 1s}), 1000);
  EXPECT_TRUE(last_.measured);
  meter_.forget();
  EXPECT_EQ(after(1s, {.received = 100, .applied = 50, .fed = false}), -1);
}

TEST_F(LagMeterTest, ManyHoursOfLagTakeBoundedMemoryAndStayNearTheTruth) {
  after(0s, {.received = 0, .applied = 0});
  for (int i = 1; i <= 20'000; ++i) after(1s, {.received = i, .applied = 0});
  EXPECT_EQ(after(0s, {.received = 20'000, .applied = 0}), 20'000'000);
  EXPECT_NEAR(static_cast<double>(after(0s, {.received = 20'000, .applied = 10'000})), 10e6, 20e3);
}

}  // namespace
}  // namespace longshore
