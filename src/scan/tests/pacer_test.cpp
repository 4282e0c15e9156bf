#include "scan/pressure/pacer.h"

#include <gtest/gtest.h>

namespace longshore {
namespace {

using namespace std::chrono_literals;

class PacerTest : public testing::Test {
 protected:
  Pacer make(const Pacing& pacing) { return Pacer(*PacingSchedule::make(pacing), clock_); }

  /// Runs statements of `busy` one after the other for `time`; returns the share of it in which one ran.
  double run(Pacer& pacer, Duration busy, Duration time, std::optional<double> slowdown) {
    const auto begun = clock_.steady_now();
    Duration worked{};
    while (clock_.steady_now() - begun < time) {
      const Pacer::Turn turn = pacer.take_turn();
      clock_.advance(turn.wait + busy);
      worked += busy;
      pacer.finish(turn, busy, slowdown);
    }
    return std::chrono::duration<double>(worked) / (clock_.steady_now() - begun);
  }

  ManualClock clock_;
};

TEST_F(PacerTest, UsesNoMoreThanItsShare) {
  Pacer pacer = make({.rule = {.duty = 0.25, .least_duty = 0.25, .pause = {}}, .windows = {}});
  EXPECT_FALSE(pacer.off());
  run(pacer, 10ms, 10s, std::nullopt);
  EXPECT_NEAR(run(pacer, 10ms, 60s, std::nullopt), 0.25, 0.01);
  EXPECT_NEAR(run(pacer, 500ms, 600s, std::nullopt), 0.25, 0.01);
}

TEST_F(PacerTest, GrowsWhileTheServerIsCalmAndShrinksWhileItIsNot) {
  Pacer pacer = make({.rule = {.duty = 0.5, .least_duty = 0.05, .pause = {}}, .windows = {}});
  EXPECT_DOUBLE_EQ(pacer.share(), 0.05);
  run(pacer, 10ms, 20s, 1.1);
  EXPECT_DOUBLE_EQ(pacer.share(), 0.5);
  EXPECT_NEAR(run(pacer, 10ms, 60s, 1.1), 0.5, 0.01);
  run(pacer, 10ms, 5s, 2.5);
  EXPECT_DOUBLE_EQ(pacer.share(), 0.05);
  EXPECT_NEAR(run(pacer, 10ms, 60s, 2.5), 0.05, 0.005);
  run(pacer, 10ms, 60s, 1.7);  // neither calm nor slow
  EXPECT_DOUBLE_EQ(pacer.share(), 0.05);
}

TEST_F(PacerTest, AFewStatementsAreFreeAfterARest) {
  Pacer pacer = make({.rule = {.duty = 0.1, .least_duty = 0.1, .pause = {}}, .windows = {}});
  for (int round = 0; round < 2; ++round) {
    Duration waited{};
    for (int i = 0; i < 8; ++i) {
      const Pacer::Turn turn = pacer.take_turn();
      waited += turn.wait;
      clock_.advance(turn.wait + 10ms);
      pacer.finish(turn, 10ms, 1.0);
    }
    EXPECT_EQ(waited, 0s);
    clock_.advance(10s);
  }
}

TEST_F(PacerTest, ScansTakeTurns) {
  Pacer pacer = make({.rule = {.duty = 0.5, .least_duty = 0.5, .pause = {}}, .windows = {}});
  run(pacer, 100ms, 60s, std::nullopt);
  const Pacer::Turn first = pacer.take_turn();
  const Pacer::Turn second = pacer.take_turn();
  const Pacer::Turn third = pacer.take_turn();
  EXPECT_NEAR(std::chrono::duration<double>(second.wait - first.wait).count(), 0.2, 0.001);
  EXPECT_NEAR(std::chrono::duration<double>(third.wait - second.wait).count(), 0.2, 0.001);
}

TEST_F(PacerTest, OffIsOff) {
  Pacer pacer = make({});
  EXPECT_TRUE(pacer.off());
  EXPECT_EQ(pacer.take_turn().wait, 0s);
  Pacer pause = make({.rule = {.duty = 1, .least_duty = 1, .pause = 5ms}, .windows = {}});
  EXPECT_FALSE(pause.off());
  EXPECT_EQ(pause.pause(), 5ms);
  EXPECT_EQ(pause.take_turn().wait, 0s);
}

TEST_F(PacerTest, WindowsHoldInTheirOwnTimeZone) {
  const PacingRule day{.duty = 0.2, .least_duty = 0.2, .pause = {}};
  const PacingWindow night{
      .from = 22 * 60, .to = 6 * 60, .time_zone = "Europe/Berlin", .rule = {.duty = 1, .least_duty = 1, .pause = {}}};
  auto schedule = PacingSchedule::make({.rule = day, .windows = {night}});
  ASSERT_TRUE(schedule);
  const auto duty = [&](const char* time) { return schedule->rule_at(*parse_rfc3339(time)).duty; };
  EXPECT_EQ(duty("2026-01-15T20:59:59Z"), 0.2);
  EXPECT_EQ(duty("2026-01-15T21:00:00Z"), 1);
  EXPECT_EQ(duty("2026-01-16T04:59:59Z"), 1);
  EXPECT_EQ(duty("2026-01-16T05:00:00Z"), 0.2);
  // In summer its clocks are an hour further.
  EXPECT_EQ(duty("2026-07-15T19:59:59Z"), 0.2);
  EXPECT_EQ(duty("2026-07-15T20:00:00Z"), 1);
  EXPECT_EQ(duty("1960-07-15T12:00:00Z"), 0.2);
  EXPECT_FALSE(PacingSchedule::make({.rule = day, .windows = {{.time_zone = "Mars/Olympus", .rule = day}}}));
}

TEST(LatencyBaselineTest, ComparesWithTheBestOfLate) {
  LatencyBaseline baseline;
  std::chrono::steady_clock::time_point now{1h};
  EXPECT_DOUBLE_EQ(*baseline.slowdown(now, 10ms, 1000), 1);
  EXPECT_DOUBLE_EQ(*baseline.slowdown(now, 50ms, 5000), 1);
  EXPECT_DOUBLE_EQ(*baseline.slowdown(now, 30ms, 1000), 3);
  EXPECT_DOUBLE_EQ(*baseline.slowdown(now, 5ms, 1000), 1);
  EXPECT_DOUBLE_EQ(*baseline.slowdown(now + 31s, 10ms, 1000), 2);
  // What was best a minute ago is forgotten: the rows may have become wider.
  EXPECT_DOUBLE_EQ(*baseline.slowdown(now + 62s, 10ms, 1000), 1);
  EXPECT_EQ(baseline.slowdown(now, 1ms, 3), std::nullopt);
}

}  // namespace
}  // namespace longshore
