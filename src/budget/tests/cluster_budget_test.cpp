#include "budget/cluster_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <stop_token>
#include <thread>

#include "budget/tests/budget_testbed.h"
#include "budget/tests/faulty_places.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;

/// A budget whose time is moved by hand as far as the process's own places go; renewals come quickly.
class ClusterBudgetTest : public testing::Test {
 protected:
  ClusterBudgetOptions options(const std::string& holder) {
    ClusterBudgetOptions options;
    options.holder = holder;
    options.lease = 10s;
    options.margin = 2s;
    options.renew = 20ms;
    options.keep = 50ms;
    options.turn = 50ms;
    options.least_poll = 5ms;
    options.most_poll = 15ms;
    return options;
  }
  /// The same with a clock that stands still unless `offset_` is moved.
  ClusterBudgetOptions timed(const std::string& holder) {
    ClusterBudgetOptions made = options(holder);
    made.elapsed = [this] { return std::chrono::nanoseconds(offset_.load()); };
    return made;
  }
  void pass(std::chrono::nanoseconds time) { offset_ += time.count(); }

  static ConnectionSlot acquire(ConnectionBudget& budget) {
    auto slot = budget.acquire({});
    EXPECT_TRUE(slot) << (slot ? "" : slot.error().message);
    return slot ? *std::move(slot) : ConnectionSlot();
  }
  static bool is_busy(ConnectionBudget& budget) {
    const auto slot = budget.acquire({}, 30ms);
    return !slot && slot.error().code == "source_busy";
  }

  BudgetTestbed testbed_;
  std::atomic<std::int64_t> offset_ = 0;
};

TEST_F(ClusterBudgetTest, TwoProcessesShareTheLimit) {
  ClusterBudget a(testbed_.open(), options("a"));
  ClusterBudget b(testbed_.open(), options("b"));
  const auto budget_a = a.budget_of(source_of(2));
  const auto budget_b = b.budget_of(source_of(2));
  ConnectionSlot first = acquire(*budget_a);
  ConnectionSlot second = acquire(*budget_b);
  EXPECT_TRUE(is_busy(*budget_a));
  EXPECT_TRUE(is_busy(*budget_b));
  EXPECT_EQ(a.held().at("app"), 1);
  EXPECT_NE(first.place()->tag(), second.place()->tag());
  first = ConnectionSlot();
  const ConnectionSlot third = acquire(*budget_b);
  EXPECT_EQ(b.held().at("app"), 2);
  EXPECT_EQ(a.held().at("app"), 0);
}

TEST_F(ClusterBudgetTest, ATagNamesThePlaceAndSortsByItsHolders) {
  ClusterBudget a(testbed_.open(), options("a"));
  const auto budget = a.budget_of(source_of(1));
  std::string before;
  for (int turn = 0; turn < 3; ++turn) {
    ConnectionSlot slot = acquire(*budget);
    const std::string tag = slot.place()->tag();
    EXPECT_EQ(tag.size(), kPlaceTagLength);
    EXPECT_EQ(tag[0], '#');
    if (!before.empty()) {
      EXPECT_EQ(tag.substr(0, kPlaceMarkLength), before.substr(0, kPlaceMarkLength));
      EXPECT_GT(tag, before);
    }
    before = tag;
    slot = ConnectionSlot();
    ASSERT_TRUE(eventually([&] { return a.held().at("app") == 0; })) << "kept for ever";
  }
}

TEST_F(ClusterBudgetTest, SmallScansInARowAskTheStoreOnce) {
  FaultyPlaces places(testbed_.open());
  ClusterBudgetOptions patient = options("a");
  patient.keep = 60s;
  ClusterBudget a(places, patient);
  const auto budget = a.budget_of(source_of(2));
  for (int scan = 0; scan < 100; ++scan) acquire(*budget);
  EXPECT_EQ(places.takes, 1);
  EXPECT_EQ(places.looks, 0);
}

TEST_F(ClusterBudgetTest, ThreadsOfAProcessAreServedInTheirOrderByHandover) {
  FaultyPlaces places(testbed_.open());
  ClusterBudget a(places, options("a"));
  const auto budget = a.budget_of(source_of(1));
  std::optional<ConnectionSlot> held = acquire(*budget);
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    std::promise<void> begun;
    threads.emplace_back([&, i] {
      begun.set_value();
      const ConnectionSlot slot = acquire(*budget);
      const std::lock_guard lock(mutex);
      order.push_back(i);
    });
    begun.get_future().wait();
    std::this_thread::sleep_for(5ms);  // only makes a wrong order likely to be seen
  }
  const int takes = places.takes;
  held.reset();
  threads.clear();
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(places.takes, takes) << "the place did not go from hand to hand";
}

TEST_F(ClusterBudgetTest, WaitingEndsWithStopAndWithPatience) {
  ClusterBudget a(testbed_.open(), options("a"));
  const auto budget = a.budget_of(source_of(1));
  const ConnectionSlot held = acquire(*budget);
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  const auto stopped = budget->acquire(stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, "scan_stopped");
  EXPECT_TRUE(is_busy(*budget));
}

TEST_F(ClusterBudgetTest, AProcessThatCannotRenewLosesItsPlacesBeforeOthersMayHaveThem) {
  FaultyPlaces places(testbed_.open());
  ClusterBudget a(places, timed("a"));
  const auto budget = a.budget_of(source_of(1));
  const ConnectionSlot slot = acquire(*budget);
  std::atomic<bool> told = false;
  const std::stop_callback callback(slot.place()->lost_signal(), [&] { told = true; });
  // While renewals succeed, time does no harm.
  for (int i = 0; i < 5; ++i) {
    pass(6s);
    std::this_thread::sleep_for(100ms);
    ASSERT_FALSE(slot.lost()) << i;
  }
  places.away = true;
  std::this_thread::sleep_for(100ms);  // a renewal may be under way
  pass(7s);
  EXPECT_FALSE(slot.lost());
  pass(1500ms);
  EXPECT_TRUE(slot.lost()) << "by the clock, whatever threads do";
  EXPECT_TRUE(eventually([&] { return told.load(); })) << "nobody closes the session";
}

TEST_F(ClusterBudgetTest, ALostPlaceIsReplacedOnceTheStoreIsBack) {
  FaultyPlaces places(testbed_.open());
  ClusterBudget a(places, timed("a"));
  const auto budget = a.budget_of(source_of(1));
  ConnectionSlot slot = acquire(*budget);
  places.away = true;
  pass(9s);
  ASSERT_TRUE(eventually([&] { return slot.lost(); }));
  slot = ConnectionSlot();
  const auto none = budget->acquire({}, 20ms);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "source_busy");
  places.away = false;
  EXPECT_FALSE(acquire(*budget).lost());
}

TEST_F(ClusterBudgetTest, APlaceWhoseAnswerWasLostComesBack) {
  FaultyPlaces places(testbed_.open());
  ClusterBudget a(places, options("a"));
  const auto budget = a.budget_of(source_of(2));
  const ConnectionSlot first = acquire(*budget);
  places.lose_answers = true;
  EXPECT_FALSE(budget->acquire({}, 1ms));
  places.lose_answers = false;
  ClusterBudget b(testbed_.open(), options("b"));
  EXPECT_TRUE(acquire(*b.budget_of(source_of(2))));
}

TEST_F(ClusterBudgetTest, ACrashedHoldersPlaceIsSuspectUntilItIsCleared) {
  // A process that died without a word: nobody renews what it took.
  SourcePlaces& dead = testbed_.open();
  ASSERT_TRUE(dead.add_places("app", 2));
  const auto lost = dead.take_place({.source = "app", .holder = "dead", .limit = 2, .lease = 100ms, .quarantine = 1h});
  ASSERT_TRUE(lost && *lost);
  ClusterBudget a(testbed_.open(), options("a"));
  const auto budget = a.budget_of(source_of(2));
  const ConnectionSlot own = acquire(*budget);
  std::vector<SuspectPlace> suspects;
  ASSERT_TRUE(eventually([&] { return !(suspects = budget->take_suspects()).empty(); }));
  EXPECT_EQ(suspects[0].tag.substr(1, 6), (*lost)->place.mark);
  EXPECT_TRUE(is_busy(*budget)) << "a place was given out beside sessions that nobody has ended";
  budget->clear(suspects);
  const ConnectionSlot second = acquire(*budget);
  EXPECT_FALSE(second.place()->unproven());
}

TEST_F(ClusterBudgetTest, APlaceInDoubtIsNotUsedAgainBeforeSomebodyLooked) {
  ClusterBudget a(testbed_.open(), options("a"));
  const auto budget = a.budget_of(source_of(2));
  ConnectionSlot doubtful = acquire(*budget);
  const std::string tag = doubtful.place()->tag();
  doubtful.place()->doubt();
  doubtful = ConnectionSlot();
  const ConnectionSlot other = acquire(*budget);
  EXPECT_NE(other.place()->tag().substr(0, kPlaceMarkLength), tag.substr(0, kPlaceMarkLength));
  std::vector<SuspectPlace> suspects;
  ASSERT_TRUE(eventually([&] { return !(suspects = budget->take_suspects()).empty(); }));
  EXPECT_EQ(suspects[0].tag, tag);
}

TEST_F(ClusterBudgetTest, WhoeverNeedsNoPlaceGivesWayToAnotherProcess) {
  ClusterBudgetOptions greedy = options("a");
  greedy.keep = 60s;
  ClusterBudget a(testbed_.open(), greedy);
  ClusterBudget b(testbed_.open(), options("b"));
  const auto budget_a = a.budget_of(source_of(1));
  acquire(*budget_a);
  EXPECT_EQ(a.held().at("app"), 1);
  EXPECT_TRUE(acquire(*b.budget_of(source_of(1))));
}

TEST_F(ClusterBudgetTest, APlaceIsWantedWhileAnotherProcessOrThreadWaits) {
  ClusterBudget a(testbed_.open(), options("a"));
  ClusterBudget b(testbed_.open(), options("b"));
  const auto budget_a = a.budget_of(source_of(1));
  for (ClusterBudget* other : {&a, &b}) {
    ConnectionSlot held = acquire(*budget_a);
    EXPECT_FALSE(held.place()->wanted());
    std::jthread waits([&] { acquire(*other->budget_of(source_of(1))); });
    while (!held.place()->wanted()) std::this_thread::yield();
    held = ConnectionSlot();
  }
}

TEST_F(ClusterBudgetTest, AProcessThatIsBusyGivesWayAfterItsTurn) {
  ClusterBudget a(testbed_.open(), options("a"));
  ClusterBudget b(testbed_.open(), options("b"));
  const auto budget_a = a.budget_of(source_of(1));
  const auto budget_b = b.budget_of(source_of(1));
  std::vector<std::jthread> busy;
  for (int i = 0; i < 2; ++i) {
    busy.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const auto slot = budget_a->acquire(stop);
        std::this_thread::sleep_for(1ms);
      }
    });
  }
  for (int turn = 0; turn < 3; ++turn) EXPECT_TRUE(acquire(*budget_b));
}

TEST_F(ClusterBudgetTest, AProcessThatEndsGivesEverythingBackAtOnce) {
  {
    ClusterBudget a(testbed_.open(), options("a"));
    acquire(*a.budget_of(source_of(1)));
  }
  ClusterBudget b(testbed_.open(), options("b"));
  EXPECT_FALSE(acquire(*b.budget_of(source_of(1))).place()->unproven());
}

TEST_F(ClusterBudgetTest, SlotsMayOutliveIt) {
  std::optional<ClusterBudget> a(std::in_place, testbed_.open(), options("a"));
  const auto budget = a->budget_of(source_of(1));
  const ConnectionSlot slot = acquire(*budget);
  a.reset();
  EXPECT_TRUE(slot.lost());
  const auto refused = budget->acquire({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "scan_stopped");
}

}  // namespace
}  // namespace longshore
