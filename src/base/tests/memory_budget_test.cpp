#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

namespace longshore {
namespace {

TEST(MemoryBudget, GivesBackWhatAReservationHeld) {
  MemoryBudget budget(100);
  {
    const auto first = budget.reserve(60, {});
    ASSERT_TRUE(first);
    EXPECT_EQ(budget.held(), 60);
    auto second = budget.reserve(40, {});
    const MemoryBudget::Reservation moved = std::move(second);
    EXPECT_EQ(budget.held(), 100);
  }
  EXPECT_EQ(budget.held(), 0);
}

TEST(MemoryBudget, WaitsUntilThereIsRoom) {
  MemoryBudget budget(100);
  std::atomic<bool> granted{false};
  std::jthread waiting;
  {
    const auto first = budget.reserve(60, {});
    waiting = std::jthread([&] {
      const auto second = budget.reserve(60, {});
      granted = static_cast<bool>(second);
    });
    EXPECT_FALSE(granted);
  }
  waiting.join();
  EXPECT_TRUE(granted);
  EXPECT_EQ(budget.held(), 0);
}

TEST(MemoryBudget, OneTooLargeIsGrantedAlone) {
  MemoryBudget budget(100);
  const auto huge = budget.reserve(500, {});
  EXPECT_TRUE(huge);
}

TEST(MemoryBudget, StoppingEndsTheWait) {
  MemoryBudget budget(100);
  const auto all = budget.reserve(100, {});
  std::stop_source stop;
  std::jthread waiting([&] { EXPECT_FALSE(budget.reserve(1, stop.get_token())); });
  stop.request_stop();
  waiting.join();
  EXPECT_EQ(budget.held(), 100);
}

}  // namespace
}  // namespace longshore
