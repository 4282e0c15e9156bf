#include "scan/connection_slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "scan/pressure/session_park.h"

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

/// A session that counts itself.
class CountedSession final : public ParkedSession {
 public:
  explicit CountedSession(std::atomic<int>& open) : open_(open) { ++open_; }
  ~CountedSession() override { --open_; }

 private:
  std::atomic<int>& open_;
};

class SwitchedPlace final : public ConnectionPlace {
 public:
  bool lost() const override { return is_lost; }
  bool wanted() const override { return is_wanted; }
  std::atomic<bool> is_lost = false;
  std::atomic<bool> is_wanted = false;
};

class SessionParkTest : public testing::Test {
 protected:
  std::shared_ptr<SwitchedPlace> park(SessionPark& park) {
    auto place = std::make_shared<SwitchedPlace>();
    ConnectionSlot slot(place);
    slot.leave_open(std::make_shared<CountedSession>(open_));
    park.park(std::move(slot));
    return place;
  }
  void wait_for(int open) const {
    while (open_ != open) std::this_thread::yield();
  }

  static constexpr Duration kLong = std::chrono::hours{1};
  std::atomic<int> open_ = 0;
};

TEST_F(SessionParkTest, WhoComesNextGetsTheLatestSessionWithItsPlace) {
  SessionPark parked(kLong);
  park(parked);
  const auto latest = park(parked);
  {
    const ConnectionSlot slot = parked.take();
    EXPECT_EQ(slot.place(), latest);
    EXPECT_NE(slot.session(), nullptr);
    EXPECT_EQ(open_, 2);
  }
  EXPECT_EQ(open_, 1) << "nobody used it";
  EXPECT_TRUE(parked.take());
  EXPECT_FALSE(parked.take());
}

TEST_F(SessionParkTest, NothingStaysThatOthersWantOrThatIsLostOrOld) {
  SessionPark parked(kLong);
  const auto wanted = park(parked);
  const auto lost = park(parked);
  const auto kept = park(parked);
  wanted->is_wanted = true;
  wait_for(2);
  lost->is_lost = true;
  wait_for(1);
  EXPECT_EQ(parked.take().place(), kept);
  park(parked)->is_lost = true;
  EXPECT_FALSE(parked.take()) << "also before it was noticed";

  SessionPark hasty(std::chrono::milliseconds{1});
  park(hasty);
  wait_for(0);
}

TEST_F(SessionParkTest, AllEndWithIt) {
  {
    SessionPark parked(kLong);
    park(parked);
    park(parked);
  }
  EXPECT_EQ(open_, 0);
}

TEST(ConnectionSlotsTest, APlaceIsWantedWhileSomebodyWaits) {
  const auto slots = std::make_shared<ConnectionSlots>(1);
  std::optional<ConnectionSlot> held = *slots->acquire({});
  EXPECT_FALSE(held->place()->wanted());
  std::jthread waiting([&] { EXPECT_TRUE(slots->acquire({})); });
  while (!held->place()->wanted()) std::this_thread::yield();
  held.reset();
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
