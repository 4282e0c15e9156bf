#include "scan/pressure/server_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "scan/pressure/retry_budget.h"
#include "scan/pressure/server_gate.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;

constexpr ServerReport kDown{.up = false, .lag = std::nullopt, .remark = {}};

ServerReport lags(Duration lag) {
  return {.up = true, .lag = lag, .remark = {}};
}

class ServerBoardTest : public testing::Test {
 protected:
  std::size_t chosen(const ServerBoard::Wish& wish = {}) { return board_.choose(wish).value_or(99); }

  ServerBoard board_{{{"r1:5432/app"}, {"r2:5432/app"}, {"p:5432/app", true}}, 5s};
};

TEST_F(ServerBoardTest, TheLeastLaggedReplicaServesAndEqualsTakeTurns) {
  board_.report(0, lags(4s));
  board_.report(1, lags(1s));
  EXPECT_EQ(chosen(), 1U);
  EXPECT_EQ(chosen(), 1U);
  board_.report(0, lags(500ms));
  EXPECT_NE(chosen(), chosen());
  EXPECT_EQ(chosen({.except = 0}), 1U);
  EXPECT_EQ(chosen({.except = 1}), 0U);
}

TEST_F(ServerBoardTest, ThePrimaryServesOnlyWhenNoReplicaCan) {
  board_.report(0, kDown);
  board_.report(1, lags(2s));
  EXPECT_EQ(chosen(), 1U);
  EXPECT_EQ(chosen({.except = 1}), 1U);  // it has failed, but is all there is
  board_.report(1, lags(6s));
  EXPECT_EQ(chosen(), 2U);
  EXPECT_EQ(chosen({.primary = false}), 99U);  // wait
  board_.report(1, kDown);
  EXPECT_EQ(chosen(), 2U);
  EXPECT_LT(chosen({.primary = false}), 2U);  // trying tells more than waiting
}

TEST_F(ServerBoardTest, WhetherItIsThereIsTakenFromWhatWasHeardLately) {
  const auto known = [&](Duration lately) {
    const Status status = board_.reachable(lately);
    return status ? "ok" : status.error().code + ": " + status.error().message;
  };
  EXPECT_THAT(known(1h), testing::AllOf(testing::StartsWith("source_busy: all connections"),
                                        testing::HasSubstr("nothing was heard of its servers here yet")));
  board_.report(0, {.up = false, .lag = std::nullopt, .remark = "connection refused"});
  EXPECT_EQ(known(1h), "source_unavailable: no server answers; r1:5432/app: connection refused");
  board_.report(1, lags(9s));
  EXPECT_EQ(known(1h), "ok") << "it lags, and is there";
  EXPECT_THAT(known(0s), testing::AllOf(testing::StartsWith("source_busy"), testing::EndsWith("s")))
      << "one is not down";
  board_.report(1, kDown);
  EXPECT_EQ(known(1h), "ok") << "it was there a moment ago";
  EXPECT_THAT(known(0s), testing::StartsWith("source_unavailable"));
  board_.forget(0);
  board_.forget(1);
  board_.heard();
  EXPECT_EQ(known(1h), "ok") << "a scan heard of it";
}

TEST_F(ServerBoardTest, NothingKnownMeansTryingInTurn) {
  EXPECT_EQ(chosen(), 0U);
  EXPECT_EQ(chosen({.except = 0}), 1U);
  board_.report(0, lags(0s));
  EXPECT_EQ(chosen(), 0U);
}

TEST_F(ServerBoardTest, ComesBackAfterHalfTheLimitOrTwoGoodPolls) {
  EXPECT_EQ(board_.report(0, lags(5s)), ServerState::fine);
  EXPECT_EQ(board_.report(0, lags(5001ms)), ServerState::behind);
  EXPECT_EQ(board_.report(0, lags(4s)), ServerState::behind);
  EXPECT_EQ(board_.report(0, lags(5s)), ServerState::fine);
  EXPECT_EQ(board_.report(0, lags(9s)), ServerState::behind);
  EXPECT_EQ(board_.report(0, lags(2500ms)), ServerState::fine);
  EXPECT_EQ(board_.report(0, {.up = true, .lag = std::nullopt, .remark = "no replay yet"}), ServerState::behind);
  board_.forget(0);
  EXPECT_EQ(board_.state(0), ServerState::unknown);
}

TEST_F(ServerBoardTest, WithoutALimitLagChangesNothing) {
  ServerBoard board({{"r1"}, {"r2"}}, Duration::zero());
  EXPECT_EQ(board.report(0, lags(1h)), ServerState::fine);
  EXPECT_EQ(board.report(1, {.up = true, .lag = std::nullopt, .remark = {}}), ServerState::fine);
  EXPECT_EQ(board.health()[0].lag, 3600);
}

TEST_F(ServerBoardTest, SaysWhyScansWait) {
  board_.report(0, {.up = true, .lag = 12'345ms, .remark = "WAL replay is paused there"});
  board_.report(1, {.up = true, .lag = std::nullopt, .remark = "it is not connected to its primary"});
  EXPECT_EQ(board_.why_waiting(),
            "replica r1:5432/app is 12.3 s behind (limit 5 s; WAL replay is paused there); replica r2:5432/app cannot "
            "say how far it is behind (it is not connected to its primary)");
}

/// A clock on which something happens at a time.
class EventfulClock final : public Clock {
 public:
  Timestamp now() const override { return clock_.now(); }
  std::chrono::steady_clock::time_point steady_now() const override { return clock_.steady_now(); }
  bool sleep_for(Duration duration, std::stop_token stop) override {
    const bool slept = clock_.sleep_for(duration, stop);
    slept_ += duration;
    if (event && slept_ >= at) std::exchange(event, nullptr)();
    return slept && !stop.stop_requested();
  }

  Duration at{};
  std::function<void()> event;

 private:
  ManualClock clock_;
  Duration slept_{};
};

class ServerGateTest : public ServerBoardTest {
 protected:
  HeldScans held_{"app"};
  EventfulClock clock_;
  PressureNote note_;
  ServerGate gate_{board_, held_, clock_, 1min, &note_};
};

TEST_F(ServerGateTest, AScanMovesToTheReplicaThatIsFine) {
  board_.report(0, lags(0s));
  board_.report(1, lags(0s));
  EXPECT_EQ(gate_.pass(0, {}), 0U);
  board_.report(0, lags(8s));
  EXPECT_FALSE(gate_.is_open(0));
  EXPECT_EQ(gate_.pass(0, {}), 1U);
  board_.report(0, kDown);
  EXPECT_EQ(gate_.pass(0, {}), 1U);
  board_.report(1, kDown);
  EXPECT_EQ(gate_.pass(0, {}), 0U);  // its own session knows better
}

TEST_F(ServerGateTest, WaitsUntilTheLagIsGoneAndSaysSo) {
  board_.report(0, lags(8s));
  board_.report(1, lags(9s));
  clock_.at = 3s;
  std::string shown;
  clock_.event = [&] {
    shown = note_.text();
    EXPECT_EQ(held_.now(), 1);
    board_.report(1, lags(1s));
  };
  EXPECT_EQ(gate_.pass(0, {}), 1U);
  EXPECT_THAT(shown, testing::StartsWith("paused: replica r1:5432/app is 8 s behind (limit 5 s)"));
  EXPECT_EQ(note_.text(), "");
  EXPECT_EQ(held_.now(), 0);
  EXPECT_NEAR(held_.seconds(), 3, 0.2);
}

TEST_F(ServerGateTest, GivesUpAfterTheLongestPause) {
  board_.report(0, lags(8s));
  board_.report(1, lags(8s));
  const auto chosen = gate_.choose({.primary = false}, {});
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, "source_paused");
  EXPECT_TRUE(chosen.error().retriable);
  EXPECT_THAT(chosen.error().message, testing::HasSubstr("paused for 60 s"));
}

TEST_F(ServerGateTest, APinnedScanWaitsForItsServer) {
  board_.report(0, lags(8s));
  board_.report(1, lags(0s));
  clock_.at = 1s;
  clock_.event = [&] { board_.report(0, lags(0s)); };
  EXPECT_TRUE(gate_.wait_for(0, {}));
  EXPECT_NEAR(held_.seconds(), 1, 0.2);
}

TEST_F(ServerGateTest, StopEndsTheWait) {
  board_.report(0, lags(8s));
  board_.report(1, lags(8s));
  std::stop_source stop;
  clock_.at = 1s;
  clock_.event = [&] { stop.request_stop(); };
  const auto passed = gate_.pass(0, stop.get_token());
  ASSERT_FALSE(passed);
  EXPECT_EQ(passed.error().code, "scan_stopped");
}

TEST(RetryBudgetTest, ProgressGivesAttemptsBack) {
  RetryBudget budget(2, 1000);
  EXPECT_TRUE(budget.spend());
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
  budget.earn(999);
  EXPECT_FALSE(budget.spend());
  budget.earn(1);
  EXPECT_TRUE(budget.spend());
  budget.earn(1'000'000);
  EXPECT_EQ(budget.left(), 2);
}

}  // namespace
}  // namespace longshore
