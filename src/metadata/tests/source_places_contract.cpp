#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "metadata/tests/job_store_contract.h"

namespace longshore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::chrono::seconds kQuarantine{40};

PlaceRequest request_of(const std::string& holder, int limit) {
  return {.source = "app", .holder = holder, .limit = limit, .lease = kLease, .quarantine = kQuarantine};
}

/// Takes a place; expects that there is one.
TakenPlace take(SourcePlaces& places, const std::string& holder, int limit = 2) {
  const auto taken = places.take_place(request_of(holder, limit));
  EXPECT_THAT(taken, Succeeded());
  if (!taken || !*taken) {
    ADD_FAILURE() << "no place for " << holder;
    return {};
  }
  return **taken;
}

bool none_left(SourcePlaces& places, const std::string& holder, int limit = 2) {
  const auto taken = places.take_place(request_of(holder, limit));
  EXPECT_THAT(taken, Succeeded());
  return taken && !*taken;
}

bool in_sight(SourcePlaces& places, const std::string& holder, int limit = 2) {
  const auto seen = places.place_in_sight(request_of(holder, limit));
  EXPECT_THAT(seen, Succeeded());
  return seen && *seen;
}

TEST_P(JobStoreContract, PlacesAreTakenUpToTheLimitAndAgainOnceReturned) {
  EXPECT_TRUE(none_left(*places_, "a")) << "places that were never added";
  ASSERT_THAT(places_->add_places("app", 2), Succeeded());
  ASSERT_THAT(places_->add_places("app", 2), Succeeded());
  const TakenPlace first = take(*places_, "a");
  const TakenPlace second = take(*places_, "b");
  EXPECT_NE(first.place.place, second.place.place);
  EXPECT_NE(first.place.mark, second.place.mark);
  EXPECT_EQ(first.place.mark.size(), 6U);
  EXPECT_FALSE(first.unproven);
  EXPECT_TRUE(none_left(*places_, "b"));
  EXPECT_FALSE(in_sight(*places_, "b"));

  ASSERT_THAT(places_->return_places("b", {{first.place}}), Succeeded());
  EXPECT_TRUE(none_left(*places_, "b")) << "somebody else's place cannot be returned";
  ASSERT_THAT(places_->return_places("a", {{first.place}}), Succeeded());
  EXPECT_TRUE(in_sight(*places_, "b"));
  const TakenPlace again = take(*places_, "b");
  EXPECT_EQ(again.place.mark, first.place.mark);
  EXPECT_EQ(again.place.epoch, first.place.epoch + 1);
  ASSERT_THAT(places_->return_places("a", {{first.place}}), Succeeded());
  EXPECT_TRUE(none_left(*places_, "c")) << "returned under an old epoch";
}

TEST_P(JobStoreContract, EveryNodeHonoursItsOwnLimit) {
  ASSERT_THAT(places_->add_places("app", 3), Succeeded());
  ASSERT_THAT(places_->add_places("other", 3), Succeeded());
  EXPECT_EQ(take(*places_, "low", 1).place.place, 0);
  EXPECT_TRUE(none_left(*places_, "low", 1));
  EXPECT_EQ(take(*places_, "high", 3).place.place, 1);
  EXPECT_EQ(take(*places_, "high", 3).place.place, 2);
  EXPECT_TRUE(none_left(*places_, "high", 3));
}

TEST_P(JobStoreContract, RenewedPlacesStayAndOthersBecomeSuspect) {
  ASSERT_THAT(places_->add_places("app", 2), Succeeded());
  const TakenPlace kept = take(*places_, "alive");
  const TakenPlace dropped = take(*places_, "dead");
  advance(kLease - std::chrono::seconds{1});
  auto renewal = places_->renew_places("alive", kLease);
  ASSERT_THAT(renewal, Succeeded());
  EXPECT_THAT(renewal->held, ElementsAre(kept.place));
  EXPECT_THAT(renewal->suspects, IsEmpty());
  advance(std::chrono::seconds{2});
  renewal = places_->renew_places("alive", kLease);
  ASSERT_THAT(renewal, Succeeded());
  EXPECT_THAT(renewal->held, ElementsAre(kept.place));
  EXPECT_THAT(renewal->suspects, ElementsAre(dropped.place));
  EXPECT_TRUE(none_left(*places_, "third")) << "a suspect place was given out";

  const auto late = places_->renew_places("dead", kLease);
  ASSERT_THAT(late, Succeeded());
  EXPECT_THAT(late->held, IsEmpty()) << "a lease that was over came to life";

  ASSERT_THAT(places_->clear_suspects({dropped.place, kept.place}), Succeeded());
  const TakenPlace heir = take(*places_, "third");
  EXPECT_EQ(heir.place.mark, dropped.place.mark);
  EXPECT_FALSE(heir.unproven);
  EXPECT_TRUE(none_left(*places_, "third")) << "a place whose lease stands was cleared";
}

TEST_P(JobStoreContract, SuspectPlacesAreGivenOutUnprovenAfterTheQuarantine) {
  ASSERT_THAT(places_->add_places("app", 1), Succeeded());
  const TakenPlace lost = take(*places_, "dead", 1);
  advance(kLease + kQuarantine - std::chrono::seconds{1});
  EXPECT_TRUE(none_left(*places_, "heir", 1));
  EXPECT_FALSE(in_sight(*places_, "heir", 1));
  advance(std::chrono::seconds{2});
  EXPECT_TRUE(in_sight(*places_, "heir", 1));
  const TakenPlace heir = take(*places_, "heir", 1);
  EXPECT_TRUE(heir.unproven);
  EXPECT_EQ(heir.place.epoch, lost.place.epoch + 1);
  ASSERT_THAT(places_->clear_suspects({lost.place}), Succeeded());
  EXPECT_TRUE(none_left(*places_, "third", 1)) << "cleared under an old epoch";
  ASSERT_THAT(places_->return_places("dead", {{lost.place}}), Succeeded());
  EXPECT_TRUE(none_left(*places_, "third", 1)) << "returned by the dead";
}

TEST_P(JobStoreContract, APlaceReturnedInDoubtIsSuspectAtOnce) {
  ASSERT_THAT(places_->add_places("app", 1), Succeeded());
  const TakenPlace taken = take(*places_, "a", 1);
  ASSERT_THAT(places_->return_places("a", {{.place = taken.place, .clean = false}}), Succeeded());
  EXPECT_TRUE(none_left(*places_, "b", 1));
  const auto renewal = places_->renew_places("b", kLease);
  ASSERT_THAT(renewal, Succeeded());
  EXPECT_THAT(renewal->suspects, ElementsAre(taken.place));
  ASSERT_THAT(places_->clear_suspects(renewal->suspects), Succeeded());
  EXPECT_FALSE(take(*places_, "b", 1).unproven);
}

TEST_P(JobStoreContract, WhoWaitsLongerComesFirst) {
  constexpr std::chrono::seconds kWaiting{3};
  ASSERT_THAT(places_->add_places("app", 1), Succeeded());
  const TakenPlace held = take(*places_, "a", 1);
  ASSERT_THAT(places_->wait_for_place("app", "b", kWaiting), Succeeded());
  advance(std::chrono::milliseconds{10});
  ASSERT_THAT(places_->wait_for_place("app", "c", kWaiting), Succeeded());
  const auto renewal = places_->renew_places("a", kLease);
  ASSERT_THAT(renewal, Succeeded());
  EXPECT_THAT(renewal->waited_for, ElementsAre("app"));
  ASSERT_THAT(places_->return_places("a", {{held.place}}), Succeeded());
  EXPECT_TRUE(none_left(*places_, "a", 1)) << "who has just let go was faster than those who wait";
  EXPECT_TRUE(none_left(*places_, "c", 1));
  EXPECT_FALSE(in_sight(*places_, "c", 1));
  EXPECT_TRUE(in_sight(*places_, "b", 1));
  PlaceRequest waiting = request_of("b", 1);
  waiting.waiting = true;
  const auto taken = places_->take_place(waiting);
  ASSERT_THAT(taken, Succeeded());
  ASSERT_TRUE(*taken);
  ASSERT_THAT(places_->return_places("b", {{(*taken)->place}}), Succeeded());
  EXPECT_TRUE(none_left(*places_, "b", 1)) << "having had its turn, it comes behind the others";
  // Whoever does not renew its waiting is passed over, and begins anew.
  advance(kWaiting);
  ASSERT_THAT(places_->wait_for_place("app", "b", kWaiting), Succeeded());
  advance(std::chrono::milliseconds{10});
  ASSERT_THAT(places_->wait_for_place("app", "c", kWaiting), Succeeded());
  EXPECT_TRUE(in_sight(*places_, "b", 1));
  EXPECT_FALSE(in_sight(*places_, "c", 1));
  ASSERT_THAT(places_->stop_waiting("app", "b"), Succeeded());
  EXPECT_TRUE(in_sight(*places_, "c", 1));
}

TEST_P(JobStoreContract, AsManyTakeAsThereArePlacesForAllWhoWaitLonger) {
  ASSERT_THAT(places_->add_places("app", 2), Succeeded());
  ASSERT_THAT(places_->wait_for_place("app", "b", kLease), Succeeded());
  EXPECT_TRUE(in_sight(*places_, "newcomer", 2)) << "one place is enough for the one who waits";
  take(*places_, "newcomer");
  EXPECT_TRUE(none_left(*places_, "next"));
}

TEST_P(JobStoreContract, NeverMorePlacesAreHeldThanThereAre) {
  constexpr int kPlaces = 3;
  ASSERT_THAT(places_->add_places("app", kPlaces), Succeeded());
  std::vector<StoreTestbed::Opened> stores;
  stores.reserve(4);
  for (int i = 0; i < 4; ++i) stores.push_back(testbed_->open());
  std::mutex mutex;
  std::set<std::string> held;
  std::atomic<int> taken = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(stores.size());
    for (std::size_t i = 0; i < stores.size(); ++i) {
      threads.emplace_back([&, i] {
        const std::string holder = "holder-" + std::to_string(i);
        for (int turn = 0; turn < 100; ++turn) {
          const auto place = stores[i].places->take_place(request_of(holder, kPlaces));
          ASSERT_THAT(place, Succeeded());
          if (!*place) continue;
          {
            const std::lock_guard lock(mutex);
            ASSERT_TRUE(held.insert((*place)->place.mark).second) << "held twice";
          }
          ++taken;
          ASSERT_THAT(stores[i].places->renew_places(holder, kLease), Succeeded());
          {
            const std::lock_guard lock(mutex);
            held.erase((*place)->place.mark);
          }
          ASSERT_THAT(stores[i].places->return_places(holder, {{(*place)->place}}), Succeeded());
        }
      });
    }
  }
  EXPECT_GT(taken, 50);
  const auto renewal = places_->renew_places("holder-0", kLease);
  ASSERT_THAT(renewal, Succeeded());
  EXPECT_THAT(renewal->held, SizeIs(0));
}

}  // namespace
}  // namespace longshore
