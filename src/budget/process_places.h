#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "budget/cluster_budget.h"
#include "metadata/source_places.h"
#include "scan/connection_slots.h"

namespace longshore {

/// The places that a process holds, shared between the threads that use them, the keeper and the watch. Slots hold on
/// to it. Thread-safe.
class ProcessPlaces : public std::enable_shared_from_this<ProcessPlaces> {
 public:
  ProcessPlaces(SourcePlaces& store, ClusterBudgetOptions options);

  // For threads that use places; process_places.cpp
  void add_source(const std::string& source, int limit, Duration quarantine);
  /// As ConnectionBudget::acquire(). REQUIRES: the source was added.
  Result<ConnectionSlot> acquire(const std::string& source, const std::stop_token& stop,
                                 std::optional<Duration> patience);
  std::vector<SuspectPlace> take_suspects(const std::string& source);
  void clear(const std::string& source, const std::vector<SuspectPlace>& places);
  std::map<std::string, int> held() const;
  /// Whether a thread of this process, or another process, waits for a place of the source.
  bool is_wanted(const std::string& source) const;

  // The two threads behind them; process_places_keeper.cpp
  void keep(const std::stop_token& stop);
  void watch(const std::stop_token& stop);
  /// Gives back what is idle; what is in use is lost. REQUIRES: the threads have ended.
  void end();

 private:
  /// A place that this process holds.
  struct Held {
    SourcePlace place;
    std::string tag;
    std::chrono::nanoseconds taken_at{};
    std::chrono::nanoseconds idle_since{};
    std::atomic<std::chrono::nanoseconds> valid_until{};  ///< of elapsed(); later the place may be another's
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
    std::deque<std::uint64_t> queue;     ///< threads that wait, the longest first
    bool waits_in_store = false;         ///< the store has this process among those that wait
    std::chrono::nanoseconds said_at{};  ///< when it was told so last
    bool others_wait = false;
    std::vector<SourcePlace> suspects;
  };

  bool is_lost(const Held& held) const { return held.lost || options_.elapsed() >= held.valid_until.load(); }
  std::chrono::nanoseconds valid_from(std::chrono::nanoseconds asked_at) const {
    return asked_at + options_.lease - options_.margin;
  }
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
  void take_in(const PlaceRenewal& renewal, const std::vector<HeldPtr>& asked, std::chrono::nanoseconds valid_until,
               bool quiet);
  void retire_idle_places();
  bool wants_renewal() const;
  /// Says once that the store is away, and once that it is back.
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

}  // namespace longshore
