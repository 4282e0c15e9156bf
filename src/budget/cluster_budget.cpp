#include "budget/cluster_budget.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "scan/scan_errors.h"
#include "telemetry/log.h"

namespace longshore {

namespace {

using std::chrono::nanoseconds;

/// As long as the metadata store is away, who waits asks more slowly.
constexpr std::chrono::milliseconds kStorePause{500};
/// Waiting in the store ends by itself after so many renewals that did not come.
constexpr int kMissedRenewals = 4;
/// How long a session on a source may idle before the server ends it (`idle_session_timeout`), and how soon a server
/// notices a client that does not read (`tcp_user_timeout`); see scan/postgres/connection.cpp.
constexpr std::chrono::seconds kSessionIdle{30};
constexpr std::chrono::seconds kDefaultStatement{30};

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

Duration quarantine_of(const Source& source) {
  const Duration statement =
      source.statement_timeout > Duration::zero() ? source.statement_timeout : Duration{kDefaultStatement};
  return statement + kSessionIdle;
}

/// Everything that is shared between the threads that use places, the keeper and the watch. Slots hold on to it.
class ClusterBudget::Core : public std::enable_shared_from_this<ClusterBudget::Core> {
 public:
  Core(SourcePlaces& store, ClusterBudgetOptions options) : store_(&store), options_(std::move(options)) {
    if (!options_.elapsed) options_.elapsed = boot_time;
  }

  void add_source(const Source& source);
  Result<ConnectionSlot> acquire(const std::string& source, const std::stop_token& stop,
                                 std::optional<Duration> patience);
  std::vector<SuspectPlace> take_suspects(const std::string& source);
  void clear(const std::string& source, const std::vector<SuspectPlace>& places);
  std::map<std::string, int> held() const;

  void keep(const std::stop_token& stop);
  void watch(const std::stop_token& stop);
  void end();

 private:
  /// A place that this process holds.
  struct Held {
    SourcePlace place;
    std::string tag;
    nanoseconds taken_at{};
    nanoseconds idle_since{};
    std::atomic<nanoseconds> valid_until{};  ///< of elapsed(); later the place may be another's
    std::atomic<bool> lost = false;
    std::atomic<bool> doubted = false;
    bool unproven = false;
    bool idle = false;
    std::stop_source lost_signal;
  };
  using HeldPtr = std::shared_ptr<Held>;
  class Place;

  struct SourceState {
    int limit = 1;
    Duration quarantine{};
    bool places_exist = false;
    std::deque<std::uint64_t> queue;  ///< threads that wait, the longest first
    bool waits_in_store = false;      ///< the store has this process among those that wait
    nanoseconds said_at{};            ///< when it was told so last
    bool others_wait = false;
    std::vector<SourcePlace> suspects;
  };

  bool is_lost(const Held& held) const { return held.lost || options_.elapsed() >= held.valid_until.load(); }
  nanoseconds valid_from(nanoseconds asked_at) const { return asked_at + options_.lease - options_.margin; }
  Duration jitter() const;

  HeldPtr idle_place(const std::string& source);
  ConnectionSlot hand_out(const HeldPtr& held);
  Result<HeldPtr> take(std::unique_lock<std::mutex>& lock, const std::string& source);
  void let_go(const HeldPtr& held);
  void drop(const HeldPtr& held, bool clean);
  void release(const HeldPtr& held);

  /// The keeper's round. Both are called with the lock, and let go of it while the store works.
  void settle_returns(std::unique_lock<std::mutex>& lock);
  void renew(std::unique_lock<std::mutex>& lock);
  void take_in(const PlaceRenewal& renewal, const std::vector<HeldPtr>& asked, nanoseconds valid_until, bool quiet);
  void retire_idle_places();
  bool wants_renewal() const;
  void store_answered(const Status& status);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  ///< for threads that wait for places
  std::condition_variable_any work_;     ///< for the keeper and the watch
  SourcePlaces* store_;
  ClusterBudgetOptions options_;
  bool ended_ = false;
  std::uint64_t changes_ = 0;  ///< counts what may concern a waiting thread
  std::uint64_t next_ticket_ = 0;
  std::map<std::string, SourceState> sources_;
  std::vector<HeldPtr> held_;
  std::vector<ReturnedPlace> returns_;
  std::vector<SourcePlace> cleared_;
  std::set<std::string> leave_queue_;  ///< sources for whose places nobody waits any more
  int takes_under_way_ = 0;
  std::uint64_t takes_ = 0;
  bool store_away_ = false;
};

class ClusterBudget::Core::Place final : public ConnectionPlace {
 public:
  Place(std::shared_ptr<Core> core, HeldPtr held)
      : ConnectionPlace(held->tag), core_(std::move(core)), held_(std::move(held)) {}
  ~Place() override { core_->release(held_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  std::stop_token lost_signal() const override { return held_->lost_signal.get_token(); }
  bool lost() const override { return core_->is_lost(*held_); }
  bool unproven() const override { return held_->unproven; }
  void doubt() override { held_->doubted = true; }

 private:
  std::shared_ptr<Core> core_;
  HeldPtr held_;
};

void ClusterBudget::Core::add_source(const Source& source) {
  const std::lock_guard lock(mutex_);
  SourceState& state = sources_[source.name];
  state.limit = std::max(1, source.max_connections);
  state.quarantine = quarantine_of(source);
}

Duration ClusterBudget::Core::jitter() const {
  thread_local std::minstd_rand random(std::random_device{}());
  return Duration{
      std::uniform_int_distribution<std::int64_t>(options_.least_poll.count(), options_.most_poll.count())(random)};
}

Result<ConnectionSlot> ClusterBudget::Core::acquire(const std::string& source, const std::stop_token& stop,
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
    if (first && (got = idle_place(source)) != nullptr) break;
    if (first && Steady::now() >= next_try) {
      const std::uint64_t seen = changes_;
      auto taken = take(lock, source);
      if (taken && (got = *taken) != nullptr) break;
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

ClusterBudget::Core::HeldPtr ClusterBudget::Core::idle_place(const std::string& source) {
  for (const HeldPtr& held : held_) {
    if (held->idle && held->place.source == source && !is_lost(*held)) return held;
  }
  return nullptr;
}

ConnectionSlot ClusterBudget::Core::hand_out(const HeldPtr& held) {
  held->idle = false;
  return ConnectionSlot(std::make_shared<Place>(shared_from_this(), held));
}

/// Asks the store for a place; nullptr: there is none now. The lock is let go of meanwhile.
Result<ClusterBudget::Core::HeldPtr> ClusterBudget::Core::take(std::unique_lock<std::mutex>& lock,
                                                               const std::string& source) {
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
void ClusterBudget::Core::release(const HeldPtr& held) {
  const std::lock_guard lock(mutex_);
  let_go(held);
  ++changes_;
  changed_.notify_all();
  work_.notify_all();
}

void ClusterBudget::Core::let_go(const HeldPtr& held) {
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

void ClusterBudget::Core::drop(const HeldPtr& held, bool clean) {
  returns_.push_back({held->place, clean});
  std::erase(held_, held);
}

std::vector<SuspectPlace> ClusterBudget::Core::take_suspects(const std::string& source) {
  const std::lock_guard lock(mutex_);
  std::vector<SuspectPlace> suspects;
  for (const SourcePlace& place : std::exchange(sources_.at(source).suspects, {})) {
    suspects.push_back({.place = place.place, .epoch = place.epoch, .tag = tag_of(place)});
  }
  return suspects;
}

void ClusterBudget::Core::clear(const std::string& source, const std::vector<SuspectPlace>& places) {
  const std::lock_guard lock(mutex_);
  for (const SuspectPlace& place : places) {
    cleared_.push_back({.source = source, .place = place.place, .mark = {}, .epoch = place.epoch});
  }
  work_.notify_all();
}

std::map<std::string, int> ClusterBudget::Core::held() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, int> counts;
  for (const auto& [name, state] : sources_) counts[name] = 0;
  for (const HeldPtr& held : held_) ++counts[held->place.source];
  return counts;
}

bool ClusterBudget::Core::wants_renewal() const {
  return !held_.empty() || std::ranges::any_of(sources_, [](const auto& entry) { return entry.second.waits_in_store; });
}

void ClusterBudget::Core::store_answered(const Status& status) {
  if (status.has_value() == !store_away_) return;
  store_away_ = !status;
  if (status) {
    log_info("the connection budget is kept again");
  } else {
    log_warn("the connection budget cannot be kept: connections to sources end when their lease does",
             {{"error_code", status.error().code}, {"error", status.error().message}});
  }
}

void ClusterBudget::Core::retire_idle_places() {
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
void ClusterBudget::Core::settle_returns(std::unique_lock<std::mutex>& lock) {
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

void ClusterBudget::Core::renew(std::unique_lock<std::mutex>& lock) {
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
void ClusterBudget::Core::take_in(const PlaceRenewal& renewal, const std::vector<HeldPtr>& asked,
                                  nanoseconds valid_until, bool quiet) {
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

void ClusterBudget::Core::keep(const std::stop_token& stop) {
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
void ClusterBudget::Core::watch(const std::stop_token& stop) {
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

void ClusterBudget::Core::end() {
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

namespace {

class SourceBudget final : public ConnectionBudget {
 public:
  using Acquire = std::function<Result<ConnectionSlot>(const std::stop_token&, std::optional<Duration>)>;
  using TakeSuspects = std::function<std::vector<SuspectPlace>()>;
  using Clear = std::function<void(const std::vector<SuspectPlace>&)>;

  SourceBudget(Acquire acquire, TakeSuspects take_suspects, Clear clear)
      : acquire_(std::move(acquire)), take_suspects_(std::move(take_suspects)), clear_(std::move(clear)) {}

  Result<ConnectionSlot> acquire(std::stop_token stop, std::optional<Duration> patience) override {
    return acquire_(stop, patience);
  }
  std::vector<SuspectPlace> take_suspects() override { return take_suspects_(); }
  void clear(const std::vector<SuspectPlace>& places) override { clear_(places); }

 private:
  Acquire acquire_;
  TakeSuspects take_suspects_;
  Clear clear_;
};

}  // namespace

ClusterBudget::ClusterBudget(SourcePlaces& places, ClusterBudgetOptions options)
    : core_(std::make_shared<Core>(places, std::move(options))),
      keeper_([core = core_](const std::stop_token& stop) { core->keep(stop); }),
      watch_([core = core_](const std::stop_token& stop) { core->watch(stop); }) {}

ClusterBudget::~ClusterBudget() {
  for (std::jthread* thread : {&keeper_, &watch_}) {
    thread->request_stop();
    thread->join();
  }
  core_->end();
}

std::shared_ptr<ConnectionBudget> ClusterBudget::budget_of(const Source& source) {
  core_->add_source(source);
  return std::make_shared<SourceBudget>(
      [core = core_, name = source.name](const std::stop_token& stop, std::optional<Duration> patience) {
        return core->acquire(name, stop, patience);
      },
      [core = core_, name = source.name] { return core->take_suspects(name); },
      [core = core_, name = source.name](const std::vector<SuspectPlace>& places) { core->clear(name, places); });
}

std::map<std::string, int> ClusterBudget::held() const {
  return core_->held();
}

}  // namespace longshore
