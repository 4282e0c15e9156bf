#include "budget/process_places.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <random>
#include <string_view>
#include <utility>

#include "scan/scan_errors.h"

namespace longshore {

namespace {

using std::chrono::nanoseconds;

/// As long as the metadata store is away, who waits asks more slowly.
constexpr std::chrono::milliseconds kStorePause{500};
/// Waiting in the store ends by itself after so many renewals that did not come.
constexpr int kMissedRenewals = 4;

nanoseconds boot_time() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds{now.tv_sec} + nanoseconds{now.tv_nsec};
}

/// `#`, the place's mark, and its epoch, by which old sessions can be told from new ones in a list of sessions.
std::string tag_of(const SourcePlace& place) {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string tag = "#" + place.mark;
  std::array<char, kPlaceTagLength - kPlaceMarkLength> digits{};
  auto epoch = static_cast<std::uint64_t>(place.epoch);
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, epoch /= kDigits.size()) {
    *digit = kDigits[epoch % kDigits.size()];
  }
  return tag.append(digits.data(), digits.size());
}

}  // namespace

class ProcessPlaces::Place final : public ConnectionPlace {
 public:
  Place(std::shared_ptr<ProcessPlaces> owner, HeldPtr held)
      : ConnectionPlace(held->tag), owner_(std::move(owner)), held_(std::move(held)) {}
  ~Place() override { owner_->release(held_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  std::stop_token lost_signal() const override { return held_->lost_signal.get_token(); }
  bool lost() const override { return owner_->is_lost(*held_); }
  bool unproven() const override { return held_->unproven; }
  bool wanted() const override { return owner_->is_wanted(held_->place.source); }
  void doubt() override { held_->doubted = true; }
  bool doubted() const override { return held_->doubted; }

 private:
  std::shared_ptr<ProcessPlaces> owner_;
  HeldPtr held_;
};

ProcessPlaces::ProcessPlaces(SourcePlaces& store, ClusterBudgetOptions options)
    : store_(&store), options_(std::move(options)) {
  if (!options_.elapsed) options_.elapsed = boot_time;
}

void ProcessPlaces::add_source(const std::string& source, int limit, Duration quarantine) {
  const std::lock_guard lock(mutex_);
  SourceState& state = sources_[source];
  state.limit = limit;
  state.quarantine = quarantine;
}

Duration ProcessPlaces::jitter() const {
  thread_local std::minstd_rand random(std::random_device{}());
  return Duration{
      std::uniform_int_distribution<std::int64_t>(options_.least_poll.count(), options_.most_poll.count())(random)};
}

Result<ConnectionSlot> ProcessPlaces::acquire(const std::string& source, const std::stop_token& stop,
                                              std::optional<Duration> patience) {
  using Steady = std::chrono::steady_clock;
  const auto begun = Steady::now();
  std::unique_lock lock(mutex_);
  SourceState& state = sources_.at(source);
  const std::uint64_t ticket = next_ticket_++;
  state.queue.push_back(ticket);
  const auto leave = [&] {
    state.queue.erase(std::ranges::find(state.queue, ticket));
    if (state.queue.empty() && state.waits_in_store) {
      leave_queue_.insert(source);
      state.waits_in_store = false;
      work_.notify_all();
    }
    ++changes_;
    changed_.notify_all();
  };
  const auto until = patience ? begun + *patience : Steady::time_point::max();
  auto next_try = begun;
  HeldPtr got;
  while (!ended_ && !stop.stop_requested()) {
    const bool first = state.queue.front() == ticket;
    if (first) got = idle_place(source);
    if (got != nullptr) break;
    if (first && Steady::now() >= next_try) {
      const std::uint64_t seen = changes_;
      auto taken = take(lock, source);
      if (taken) got = *taken;
      if (got != nullptr) break;
      next_try = Steady::now() + (taken ? jitter() : Duration{kStorePause});
      if (changes_ != seen) continue;  // a place may have come back in the meantime
    }
    if (Steady::now() >= until) break;
    // Only the first in the queue asks the store, so that one process never asks more than one question at a time.
    const auto wake = first ? std::min(until, next_try) : until;
    const auto is_new = [this, seen = changes_] { return changes_ != seen || ended_; };
    if (wake == Steady::time_point::max()) {
      changed_.wait(lock, stop, is_new);
    } else {
      changed_.wait_until(lock, stop, wake, is_new);
    }
  }
  leave();
  if (got == nullptr) return fail(ended_ || stop.stop_requested() ? scan_stopped() : source_busy());
  ConnectionSlot slot = hand_out(got);
  lock.unlock();
  if (options_.on_acquired) options_.on_acquired(source, std::chrono::duration_cast<Duration>(Steady::now() - begun));
  return slot;
}

ProcessPlaces::HeldPtr ProcessPlaces::idle_place(const std::string& source) {
  for (const HeldPtr& held : held_) {
    if (held->idle && held->place.source == source && !is_lost(*held)) return held;
  }
  return nullptr;
}

ConnectionSlot ProcessPlaces::hand_out(const HeldPtr& held) {
  held->idle = false;
  return ConnectionSlot(std::make_shared<Place>(shared_from_this(), held));
}

/// Asks the store for a place; nullptr: there is none now. The lock is let go of meanwhile.
Result<ProcessPlaces::HeldPtr> ProcessPlaces::take(std::unique_lock<std::mutex>& lock, const std::string& source) {
  SourceState& state = sources_.at(source);
  const PlaceRequest request{.source = source,
                             .holder = options_.holder,
                             .limit = state.limit,
                             .lease = options_.lease,
                             .waiting = state.waits_in_store,
                             .quarantine = state.quarantine};
  const bool add = !state.places_exist;
  const nanoseconds asked_at = options_.elapsed();
  // Said again now and then, since it ends by itself.
  const bool say_waiting = !request.waiting || asked_at - state.said_at >= options_.renew;
  ++takes_under_way_;
  ++takes_;
  lock.unlock();
  auto taken = [&]() -> Result<std::optional<TakenPlace>> {
    if (add) CHECK_OK(store_->add_places(source, request.limit));
    bool promising = true;
    if (request.waiting) {
      TRY(promising, store_->place_in_sight(request));
    }
    std::optional<TakenPlace> place;
    if (promising) {
      TRY(place, store_->take_place(request));
    }
    if (!place && say_waiting) {
      CHECK_OK(store_->wait_for_place(source, request.holder, options_.renew * kMissedRenewals));
    }
    return place;
  }();
  lock.lock();
  --takes_under_way_;
  store_answered(taken ? Status() : fail(taken.error()));
  if (!taken) return fail(std::move(taken).error());
  state.places_exist = true;
  state.waits_in_store = !*taken;
  if (!*taken && say_waiting) state.said_at = asked_at;
  work_.notify_all();
  if (!*taken) return nullptr;
  auto held = std::make_shared<Held>();
  held->place = std::move((*taken)->place);
  held->tag = tag_of(held->place);
  held->unproven = (*taken)->unproven;
  held->taken_at = asked_at;
  held->valid_until = valid_from(asked_at);
  held_.push_back(held);
  if (ended_) let_go(held);
  return held;
}

/// A session's end: the next in this process, or the store.
void ProcessPlaces::release(const HeldPtr& held) {
  const std::lock_guard lock(mutex_);
  let_go(held);
  ++changes_;
  changed_.notify_all();
  work_.notify_all();
}

void ProcessPlaces::let_go(const HeldPtr& held) {
  const nanoseconds now = options_.elapsed();
  const SourceState& state = sources_.at(held->place.source);
  const bool turn_is_over = state.others_wait && (state.queue.empty() || now - held->taken_at >= options_.turn);
  if (ended_ || held->doubted || is_lost(*held) || turn_is_over || held->place.place >= state.limit) {
    drop(held, !held->doubted);
    return;
  }
  held->unproven = false;  // whoever had it made sure
  held->idle = true;
  held->idle_since = now;
}

void ProcessPlaces::drop(const HeldPtr& held, bool clean) {
  returns_.push_back({held->place, clean});
  std::erase(held_, held);
}

std::vector<SuspectPlace> ProcessPlaces::take_suspects(const std::string& source) {
  const std::lock_guard lock(mutex_);
  std::vector<SuspectPlace> suspects;
  for (const SourcePlace& place : std::exchange(sources_.at(source).suspects, {})) {
    suspects.push_back({.place = place.place, .epoch = place.epoch, .tag = tag_of(place)});
  }
  return suspects;
}

void ProcessPlaces::clear(const std::string& source, const std::vector<SuspectPlace>& places) {
  const std::lock_guard lock(mutex_);
  for (const SuspectPlace& place : places) {
    cleared_.push_back({.source = source, .place = place.place, .mark = {}, .epoch = place.epoch});
  }
  work_.notify_all();
}

bool ProcessPlaces::is_wanted(const std::string& source) const {
  const std::lock_guard lock(mutex_);
  const SourceState& state = sources_.at(source);
  return ended_ || !state.queue.empty() || state.others_wait;
}

std::map<std::string, int> ProcessPlaces::held() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, int> counts;
  for (const auto& [name, state] : sources_) counts[name] = 0;
  for (const HeldPtr& held : held_) ++counts[held->place.source];
  return counts;
}

}  // namespace longshore
