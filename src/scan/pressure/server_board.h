#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "scan/pressure/source_health.h"

namespace longshore {

enum class ServerState : std::uint8_t {
  unknown,  ///< not polled yet
  fine,
  behind,  ///< it lags more than is allowed, or cannot say how much
  down,    ///< it does not answer
};

/// What a poll of a server found.
struct ServerReport {
  bool up = true;
  std::optional<Duration> lag;  ///< nullopt: cannot be told
  std::string remark;           ///< what else there is to say, e.g. why there is no lag to be told, or the error
};

/// What is known of a source's servers, and which of them is to be read from. Written by what polls them, read by every
/// scan. A server that fell behind is fine again when it has halved the distance, or stayed under it for two polls, so
/// that scans do not move to and fro. Thread-safe.
class ServerBoard {
 public:
  struct Server {
    std::string name;
    bool primary = false;  ///< serves only when no replica can
  };

  /// `max_lag` zero: lag is noted and changes nothing.
  ServerBoard(std::vector<Server> servers, Duration max_lag);

  std::size_t count() const { return entries_.size(); }
  const std::string& name(std::size_t index) const { return entries_[index].server.name; }

  /// Returns the state that it leads to.
  ServerState report(std::size_t index, const ServerReport& report);
  /// Nothing is known of the server any more.
  void forget(std::size_t index);
  /// Waits until every server was polled, but for a primary that has replicas. False: that took longer than `limit`, or
  /// `stop`.
  bool wait_until_known(Duration limit, std::stop_token stop);

  /// Costs one atomic read.
  ServerState state(std::size_t index) const { return entries_[index].state.load(std::memory_order_relaxed); }

  struct Wish {
    bool primary = true;                               ///< it may be the primary
    std::optional<std::size_t> except = std::nullopt;  ///< only if there is no other: it has just failed
  };
  /// The server that a new session should go to: the replica with the least lag (those within a second of it take
  /// turns), the primary when no replica is fine. nullopt: those that answer lag too much, wait.
  std::optional<std::size_t> choose(const Wish& wish);
  /// Another replica than `index` that is fine, the least lagged one.
  std::optional<std::size_t> fine_replica_besides(std::size_t index);

  /// A session with some server has just had an answer. Costs a look at the clock and an atomic write.
  void heard() { heard_at_.store(std::chrono::steady_clock::now().time_since_epoch(), std::memory_order_relaxed); }
  /// What is known of whether the servers are there, without asking them: whether one of them answered a poll or a scan
  /// within `lately`. Errors: `source_unavailable` (all that were polled last are down; says why), `source_busy`
  /// (nothing was heard for longer; says so).
  Status reachable(Duration lately) const;

  /// `replica r1:5432/app is 12.3 s behind (limit 5 s)`, of all servers that are behind.
  std::string why_waiting() const;
  std::vector<ServerHealth> health() const;

 private:
  struct Entry {
    Server server;
    std::atomic<ServerState> state{ServerState::unknown};
    std::optional<Duration> lag;
    std::string remark;
    int good_polls = 0;  ///< in a row, under the limit
  };

  std::optional<std::size_t> least_lagged(std::optional<std::size_t> except);
  /// The next in turn of those that `matches`.
  template <class Matches>
  std::optional<std::size_t> next_of(Matches matches);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Entry> entries_;  ///< never resized
  const Duration max_lag_;
  std::size_t turn_ = 0;
  /// Since the steady clock's epoch; zero: never.
  std::atomic<std::chrono::steady_clock::duration> heard_at_{};
};

}  // namespace longshore
