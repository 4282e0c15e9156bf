#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/dataset.h"
#include "model/export_spec.h"
#include "scan/connection_slots.h"
#include "scan/postgres/connection.h"
#include "scan/postgres/monitor.h"
#include "scan/pressure/held_scans.h"
#include "scan/pressure/pacer.h"
#include "scan/pressure/pressure_note.h"
#include "scan/pressure/server_board.h"
#include "scan/pressure/server_gate.h"

namespace longshore {

/// Where a PostgreSQL source's sessions come from: its servers and how they fare, no more sessions at a time than it
/// allows, and no more work than its pacing allows. Thread-safe.
class PostgresServers {
 public:
  /// Errors: `unknown_time_zone` (of a window of the pacing).
  static Result<std::shared_ptr<const PostgresServers>> make(Source source, std::shared_ptr<ConnectionBudget> budget);

  const Source& source() const { return source_; }
  /// The replicas in the catalog's order, then the primary if there is one. An index means the same server as long as
  /// the catalog stays.
  std::size_t count() const { return servers_.size(); }
  const std::string& connection_string(std::size_t index) const { return servers_[index].connection_string; }
  /// `host:port/dbname`: the same in every process with this catalog, unlike the index also after a change of order.
  const std::string& name(std::size_t index) const { return servers_[index].name; }
  /// Whether it is the one that serves small exports only.
  bool is_primary(std::size_t index) const { return servers_[index].primary; }

  /// Waits for a free place among max_connections, for `patience` at most, and sees to it that processes which lost
  /// theirs have no sessions left. Errors: `scan_stopped`, `source_busy`.
  Result<ConnectionSlots::Slot> acquire_slot(std::stop_token stop,
                                             std::optional<Duration> patience = std::nullopt) const;
  /// A session on server `index` (modulo their count), on this place. Errors carry the source's name.
  Result<std::unique_ptr<PostgresConnection>> connect(std::size_t index, const std::string& label, std::stop_token stop,
                                                      const ConnectionSlot& slot) const;

  /// While it lives, the servers are watched.
  class Use {
   public:
    explicit Use(PostgresMonitor* monitor = nullptr) : monitor_(monitor) {
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
    PostgresMonitor* monitor_;
  };
  /// Begins to watch; waits a moment for the first news of the servers.
  Use use(const std::stop_token& stop) const;

  /// A scan's way past the lag guard. Use it under a Use. REQUIRES: *this and `note` outlive it.
  ServerGate gate(PressureNote* note, std::optional<Duration> max_pause = std::nullopt) const {
    return {*board_, *held_, *clock_, max_pause.value_or(source_.max_pause), note};
  }
  /// The server to ask something small of, lagging or not.
  std::size_t best_now() const { return board_->choose({}).value_or(0); }
  Pacer& pacer() const { return *pacer_; }
  SourceHealth health() const;

 private:
  struct Server {
    std::string connection_string;
    std::string name;
    bool primary = false;
  };

  PostgresServers(Source source, std::shared_ptr<ConnectionBudget> budget);
  Status end_lost_sessions(const ConnectionSlot& slot, const std::stop_token& stop) const;
  void add_server(std::string connection_string, bool primary);
  void watch_servers();

  Source source_;
  std::vector<Server> servers_;
  std::shared_ptr<ConnectionBudget> budget_;
  std::unique_ptr<SystemClock> clock_;
  std::unique_ptr<ServerBoard> board_;
  std::unique_ptr<HeldScans> held_;
  std::unique_ptr<Pacer> pacer_;
  std::unique_ptr<PostgresMonitor> monitor_;  ///< nullptr: there is nothing to choose and nothing to guard
};

/// A session for a single task. Keeps a place among the source's connections while it lives.
struct PostgresLease {
  PostgresServers::Use use;
  ConnectionSlots::Slot slot;
  std::unique_ptr<PostgresConnection> connection;
  std::size_t server = 0;

  /// For what is small: on the server that is best to read from, else on the next that answers, lagging or not.
  /// `patience`: how long it may wait for a place (`source_busy`). Errors: those of the last one.
  static Result<PostgresLease> open(const PostgresServers& servers, const std::string& label, std::stop_token stop,
                                    std::optional<Duration> patience = std::nullopt);
  /// The same past the lag guard: waits while the source lags, `max_pause` at most. With a `spec`, the primary is used
  /// only if it may serve that export. Errors besides: `source_paused`, `primary_refused`.
  static Result<PostgresLease> open_guarded(const PostgresServers& servers, const std::string& label,
                                            const ExportSpec* spec, Duration max_pause, std::stop_token stop);
};

}  // namespace longshore
