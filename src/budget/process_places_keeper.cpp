#include <algorithm>
#include <iterator>
#include <utility>

#include "budget/process_places.h"
#include "telemetry/log.h"

// What the two threads behind the places do: one speaks with the store, one watches the time.

namespace longshore {

using std::chrono::nanoseconds;

bool ProcessPlaces::wants_renewal() const {
  return !held_.empty() || std::ranges::any_of(sources_, [](const auto& entry) { return entry.second.waits_in_store; });
}

void ProcessPlaces::store_answered(const Status& status) {
  if (status.has_value() == !store_away_) return;
  store_away_ = !status;
  if (status) {
    log_info("the connection budget is kept again");
  } else {
    log_warn("the connection budget cannot be kept: connections to sources end when their lease does",
             {{"error_code", status.error().code}, {"error", status.error().message}});
  }
}

void ProcessPlaces::retire_idle_places() {
  const nanoseconds now = options_.elapsed();
  for (const HeldPtr& held : std::vector<HeldPtr>(held_)) {
    if (!held->idle) continue;
    const SourceState& state = sources_.at(held->place.source);
    // With a thread waiting here the place is as good as taken.
    const bool unused = state.queue.empty() && (now - held->idle_since >= options_.keep || state.others_wait);
    if (unused || is_lost(*held)) drop(held, true);
  }
}

/// Tells the store what was given back, cleared and not waited for any more. What fails is tried again next time.
void ProcessPlaces::settle_returns(std::unique_lock<std::mutex>& lock) {
  if (returns_.empty() && cleared_.empty() && leave_queue_.empty()) return;
  auto returns = std::exchange(returns_, {});
  auto cleared = std::exchange(cleared_, {});
  auto leaving = std::exchange(leave_queue_, {});
  lock.unlock();
  const Status done = [&]() -> Status {
    if (!returns.empty()) CHECK_OK(store_->return_places(options_.holder, returns));
    if (!cleared.empty()) CHECK_OK(store_->clear_suspects(cleared));
    for (const std::string& source : leaving) CHECK_OK(store_->stop_waiting(source, options_.holder));
    return {};
  }();
  lock.lock();
  store_answered(done);
  if (done) return;
  returns_.insert(returns_.end(), returns.begin(), returns.end());
  cleared_.insert(cleared_.end(), cleared.begin(), cleared.end());
}

void ProcessPlaces::renew(std::unique_lock<std::mutex>& lock) {
  const std::vector<HeldPtr> asked = held_;
  const std::uint64_t takes = takes_;
  const bool quiet = takes_under_way_ == 0;
  lock.unlock();
  const nanoseconds asked_at = options_.elapsed();
  const auto renewal = store_->renew_places(options_.holder, options_.lease);
  lock.lock();
  store_answered(renewal ? Status() : fail(renewal.error()));
  if (renewal) take_in(*renewal, asked, valid_from(asked_at), quiet && takes == takes_);
}

/// `quiet`: no thread was about to take a place, so whatever the store calls ours and we do not know was given to us
/// in an answer that never came.
void ProcessPlaces::take_in(const PlaceRenewal& renewal, const std::vector<HeldPtr>& asked, nanoseconds valid_until,
                            bool quiet) {
  for (const HeldPtr& held : asked) {
    if (std::ranges::find(renewal.held, held->place) != renewal.held.end()) {
      held->valid_until = std::max(held->valid_until.load(), valid_until);
    } else if (std::ranges::find(held_, held) != held_.end()) {
      held->valid_until = nanoseconds::min();  // the watch closes its session
      sources_.at(held->place.source).places_exist = false;
      work_.notify_all();
    }
  }
  for (const SourcePlace& place : renewal.held) {
    const auto same = [&](const HeldPtr& held) { return held->place == place; };
    const auto returned = [&](const ReturnedPlace& entry) { return entry.place == place; };
    const bool known = std::ranges::any_of(asked, same) || std::ranges::any_of(returns_, returned);
    if (quiet && !known) returns_.push_back({place, true});
  }
  for (auto& [name, state] : sources_) {
    state.others_wait = std::ranges::find(renewal.waited_for, name) != renewal.waited_for.end();
    state.suspects.clear();
  }
  for (const SourcePlace& place : renewal.suspects) {
    if (const auto found = sources_.find(place.source); found != sources_.end()) {
      found->second.suspects.push_back(place);
    }
  }
}

void ProcessPlaces::keep(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  auto next_renewal = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    retire_idle_places();
    settle_returns(lock);
    const auto now = std::chrono::steady_clock::now();
    if (wants_renewal() && now >= next_renewal) {
      renew(lock);
      next_renewal = now + options_.renew;
      continue;
    }
    const auto has_work = [this] {
      return !store_away_ && (!returns_.empty() || !cleared_.empty() || !leave_queue_.empty());
    };
    const auto is_due = [&] {
      return has_work() || (wants_renewal() && std::chrono::steady_clock::now() >= next_renewal);
    };
    if (wants_renewal() || store_away_) {
      work_.wait_until(lock, stop, std::max(next_renewal, now + options_.renew / 4), is_due);
    } else {
      work_.wait(lock, stop, [&] { return is_due() || wants_renewal(); });
    }
  }
}

/// Does nothing but compare times, so that a store that does not answer cannot keep it from closing sessions.
void ProcessPlaces::watch(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto is_news = [this](const HeldPtr& held) { return !held->lost && is_lost(*held); };
  while (!stop.stop_requested()) {
    std::vector<HeldPtr> lost;
    std::ranges::copy_if(held_, std::back_inserter(lost), is_news);
    for (const HeldPtr& held : lost) held->lost = true;
    lock.unlock();
    for (const HeldPtr& held : lost) {
      log_warn("a place among a source's connections was lost", {{"source", held->place.source}});
      held->lost_signal.request_stop();  // closes the session's socket
    }
    lock.lock();
    nanoseconds next = options_.renew;  // not longer: elapsed() may run otherwise than the clock that waiting goes by
    const nanoseconds now = options_.elapsed();
    for (const HeldPtr& held : held_) {
      if (!held->lost) next = std::clamp(held->valid_until.load() - now, nanoseconds{}, next);
    }
    if (held_.empty()) {
      work_.wait(lock, stop, [this] { return !held_.empty(); });
    } else {
      work_.wait_for(lock, stop, next, [&] { return std::ranges::any_of(held_, is_news); });
    }
  }
}

void ProcessPlaces::end() {
  std::vector<HeldPtr> in_use;
  {
    std::unique_lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
    for (const HeldPtr& held : std::vector<HeldPtr>(held_)) {
      if (held->idle) drop(held, true);
    }
    settle_returns(lock);
    // What is still in use stays the store's to wait for: its sessions may live on.
    in_use = held_;
  }
  for (const HeldPtr& held : in_use) {
    held->lost = true;
    held->lost_signal.request_stop();
  }
}

}  // namespace longshore
