#include "scan/connection_slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace longshore {
namespace {

TEST(ConnectionSlotsTest, NeverMoreThanAllowed) {
  const auto slots = std::make_shared<ConnectionSlots>(3);
  std::atomic<int> held = 0;
  std::atomic<int> most = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int turn = 0; turn < 200; ++turn) {
          const auto slot = slots->acquire({});
          ASSERT_TRUE(slot);
          const int now = ++held;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          --held;
        }
      });
    }
  }
  EXPECT_GE(most, 1);
  EXPECT_LE(most, 3);
}

TEST(ConnectionSlotsTest, WaitingEndsWithStop) {
  const auto slots = std::make_shared<ConnectionSlots>(1);
  auto held = slots->acquire({});
  ASSERT_TRUE(held);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto refused = slots->acquire(stop.get_token());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "scan_stopped");
  *held = ConnectionSlots::Slot();
  EXPECT_TRUE(slots->acquire({}));
}

TEST(ConnectionSlotsTest, PatienceEnds) {
  const auto slots = std::make_shared<ConnectionSlots>(1);
  const auto held = slots->acquire({});
  ASSERT_TRUE(held);
  const auto refused = slots->acquire({}, std::chrono::milliseconds{1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "source_busy");
}

TEST(ConnectionSlotsTest, ASessionThatSharesThePlaceKeepsIt) {
  const auto slots = std::make_shared<ConnectionSlots>(1);
  auto held = slots->acquire({});
  ASSERT_TRUE(held);
  auto session = held->place();
  *held = ConnectionSlots::Slot();
  EXPECT_FALSE(slots->acquire({}, Duration{}));
  session.reset();
  EXPECT_TRUE(slots->acquire({}, Duration{}));
}

TEST(ConnectionSlotsTest, ASlotMayOutliveItsOwner) {
  auto slots = std::make_shared<ConnectionSlots>(1);
  const auto held = slots->acquire({});
  slots.reset();
  EXPECT_TRUE(*held);
}

}  // namespace
}  // namespace longshore
