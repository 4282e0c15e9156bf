#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/dataset.h"
#include "scan/connection_slots.h"
#include "scan/pressure/held_scans.h"
#include "scan/pressure/pacer.h"
#include "scan/pressure/pressure_note.h"
#include "scan/pressure/server_board.h"
#include "scan/pressure/server_gate.h"
#include "scan/pressure/server_monitor.h"

namespace longshore {

/// A source's servers and how they fare, no more connections at a time than it allows, and no more work than its pacing
/// allows: all of it that does not depend on what database it is. Thread-safe.
///
/// What a database adds is the opening of sessions, `connect(index, label, stop, slot)`, see server_lease.h.
class SourceServers {
 public:
  const Source& source() const { return source_; }
  /// The replicas in the catalog's order, then the primary if there is one. An index means the same server as long as
  /// the catalog stays.
  std::size_t count() const { return board_->count(); }
  /// `host:port/dbname`: the same in every process with this catalog, unlike the index also after a change of order.
  const std::string& name(std::size_t index) const { return board_->name(index); }
  /// Whether it is the one that serves small exports only.
  bool is_primary(std::size_t index) const { return index >= source_.replicas.size(); }

  /// Waits for a free place among max_connections, for `patience` at most. Errors: `scan_stopped`, `source_busy`.
  Result<ConnectionSlot> acquire_slot(std::stop_token stop, std::optional<Duration> patience = std::nullopt) const {
    return budget_->acquire(std::move(stop), patience);
  }

  /// While it lives, the servers are watched.
  class Use {
   public:
    explicit Use(ServerMonitor* monitor = nullptr) : monitor_(monitor) {
      if (monitor_ != nullptr) monitor_->begin_use();
    }
    ~Use() {
      if (monitor_ != nullptr) monitor_->end_use();
    }
    Use(Use&& other) noexcept : monitor_(std::exchange(other.monitor_, nullptr)) {}
    Use& operator=(Use&& other) noexcept {
      std::swap(monitor_, other.monitor_);
      return *this;
    }

   private:
    ServerMonitor* monitor_;
  };
  /// Begins to watch; waits a moment for the first news of the servers.
  Use use(const std::stop_token& stop) const;

  /// A scan's way past the lag guard. Use it under a Use. REQUIRES: *this and `note` outlive it.
  ServerGate gate(PressureNote* note, std::optional<Duration> max_pause = std::nullopt) const {
    return {*board_, *held_, *clock_, max_pause.value_or(source_.max_pause), note};
  }
  /// The server to ask something small of, lagging or not.
  std::size_t best_now() const { return board_->choose({}).value_or(0); }
  /// Whether server `index` may serve an export: a primary only one of fewer rows than the source says.
  /// `estimated_rows` is asked only if it matters. Errors: `primary_refused`, and those of asking.
  Status may_serve(std::size_t index, const std::function<Result<std::int64_t>()>& estimated_rows) const;
  /// A session with a server has just had an answer.
  void heard() const { board_->heard(); }
  /// Whether the servers are there, by what polls and scans have heard lately. Errors: as ServerBoard::reachable().
  Status reachable() const;
  Pacer& pacer() const { return *pacer_; }
  SourceHealth health() const;

 protected:
  SourceServers(Source source, std::shared_ptr<ConnectionBudget> budget);
  ~SourceServers() = default;
  SourceServers(const SourceServers&) = delete;
  SourceServers& operator=(const SourceServers&) = delete;

  struct Watched {
    std::string name;  ///< that of two servers may be the same: then a number is added
    std::unique_ptr<LagProbe> probe;
  };
  /// To be called once, before anything else; the servers in the order of count(). Errors: `unknown_time_zone` (of a
  /// window of the pacing).
  Status watch(std::vector<Watched> servers);

  ConnectionBudget& budget() const { return *budget_; }

 private:
  Source source_;
  std::shared_ptr<ConnectionBudget> budget_;
  std::unique_ptr<SystemClock> clock_;
  std::unique_ptr<ServerBoard> board_;
  std::unique_ptr<HeldScans> held_;
  std::unique_ptr<Pacer> pacer_;
  std::unique_ptr<ServerMonitor> monitor_;  ///< nullptr: there is nothing to choose and nothing to guard
};

}  // namespace longshore
