#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metadata/source_places.h"
#include "model/dataset.h"
#include "scan/connection_slots.h"

namespace longshore {

/// How places are held. The defaults suit production; tests make them short.
struct ClusterBudgetOptions {
  std::string holder;                         ///< this process, unlike all others on the metadata store
  Duration lease = std::chrono::seconds{10};  ///< a process that is silent for so long has lost its places
  Duration renew = std::chrono::seconds{1};   ///< how often it speaks; well below the lease
  Duration margin = std::chrono::seconds{2};  ///< its sessions are closed so long before the lease ends
  Duration keep = std::chrono::seconds{1};    ///< a place that nobody uses stays with the process for so long
  Duration turn = std::chrono::seconds{1};    ///< after so long a place goes to another process that waits
  Duration least_poll = std::chrono::milliseconds{100};  ///< who waits for other processes asks again after a time …
  Duration most_poll = std::chrono::milliseconds{250};   ///< … between these two
  /// Time that goes on while the process is stopped and the machine sleeps. Only differences count. Thread-safe.
  std::function<std::chrono::nanoseconds()> elapsed;  ///< empty: CLOCK_BOOTTIME
  /// Called when a thread got a place, with the time that it waited. Thread-safe.
  std::function<void(std::string_view source, Duration waited)> on_acquired;
};

class ProcessPlaces;

/// How many connections each source may have, over all processes that share a metadata store.
///
/// A process takes places there one by one, renews all of them at once every `renew`, and hands them from thread to
/// thread meanwhile; a place that nobody in the process uses goes back after `keep`, or at once if others wait. When
/// renewing fails, every place is declared lost `margin` before its lease is over: sessions on it are closed before
/// anybody else may take it. See README.md for what that guarantees.
///
/// Thread-safe. Budgets and slots may outlive it: then they are of no use.
class ClusterBudget {
 public:
  /// Starts two threads. `places` outlives it. REQUIRES: renew < margin < lease.
  ClusterBudget(SourcePlaces& places, ClusterBudgetOptions options);
  /// Gives everything back. REQUIRES: for places to come back clean, sessions are closed before.
  ~ClusterBudget();
  ClusterBudget(const ClusterBudget&) = delete;
  ClusterBudget& operator=(const ClusterBudget&) = delete;

  /// The budget of one source: `max_connections` places, and as long a quarantine as a session may outlive a client
  /// that died or was stopped (see quarantine_of()). Waiting threads of the process are served in their order.
  std::shared_ptr<ConnectionBudget> budget_of(const Source& source);

  /// How many places this process holds of each source, cached ones included.
  std::map<std::string, int> held() const;

 private:
  std::shared_ptr<ProcessPlaces> places_;
  std::jthread keeper_;
  std::jthread watch_;
};

/// How long after the end of a lease a place is left alone that could not be cleared: the longest that a session of a
/// dead or stopped client goes on by itself, its last statement and then the idle limit of the session.
Duration quarantine_of(const Source& source);

}  // namespace longshore
