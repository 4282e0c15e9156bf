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
#include "scan/connection_slots.h"
#include "scan/mysql/connection.h"
#include "scan/mysql/monitor.h"
#include "scan/pressure/held_scans.h"
#include "scan/pressure/pacer.h"
#include "scan/pressure/pressure_note.h"
#include "scan/pressure/server_board.h"
#include "scan/pressure/server_gate.h"

namespace longshore {

/// Where a MySQL source's sessions come from: its servers and how they fare, no more sessions at a time than it allows,
/// and no more work than its pacing allows. Thread-safe.
class MysqlServers {
 public:
  /// Errors: `bad_source` (user), naming the source; `unknown_time_zone` (of a window of the pacing).
  static Result<std::shared_ptr<const MysqlServers>> make(const Source& source,
                                                          std::shared_ptr<ConnectionBudget> budget);

  const Source& source() const { return source_; }
  /// The replicas in the catalog's order, then the primary if there is one.
  std::size_t count() const { return addresses_.size(); }
  const MysqlAddress& address(std::size_t index) const { return addresses_[index % count()]; }
  bool is_primary(std::size_t index) const { return index >= source_.replicas.size(); }
  /// `host:port/database`
  const std::string& name(std::size_t index) const { return board_->name(index); }

  /// Waits for a free place among max_connections. Errors: `scan_stopped`.
  Result<ConnectionSlot> acquire_slot(std::stop_token stop) const { return budget_->acquire(stop); }
  /// A session on server `index` (modulo their count), on this place. Errors carry the source's name.
  Result<std::unique_ptr<MysqlConnection>> connect(std::size_t index, const std::string& label, std::stop_token stop,
                                                   const ConnectionSlot& slot) const;

  /// While it lives, the servers are watched.
  class Use {
   public:
    explicit Use(MysqlMonitor* monitor = nullptr) : monitor_(monitor) {
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
    MysqlMonitor* monitor_;
  };
  /// Begins to watch; waits a moment for the first news of the servers.
  Use use(const std::stop_token& stop) const;

  /// A scan's way past the lag guard. Use it under a Use. REQUIRES: *this and `note` outlive it.
  ServerGate gate(PressureNote* note) const { return {*board_, *held_, *clock_, source_.max_pause, note}; }
  /// The server to ask something small of, lagging or not.
  std::size_t best_now() const { return board_->choose({}).value_or(0); }
  Pacer& pacer() const { return *pacer_; }
  SourceHealth health() const;

 private:
  MysqlServers(Source source, std::shared_ptr<ConnectionBudget> budget);
  void watch_servers();

  Source source_;
  std::vector<MysqlAddress> addresses_;
  std::shared_ptr<ConnectionBudget> budget_;
  std::unique_ptr<SystemClock> clock_;
  std::unique_ptr<ServerBoard> board_;
  std::unique_ptr<HeldScans> held_;
  std::unique_ptr<Pacer> pacer_;
  std::unique_ptr<MysqlMonitor> monitor_;  ///< nullptr: there is nothing to choose and nothing to guard
};

/// A session for a single task. Keeps a place among the source's connections while it lives.
struct MysqlLease {
  ConnectionSlot slot;
  std::unique_ptr<MysqlConnection> connection;

  /// On the server that is best to read from, else on the next that answers, lagging or not. Errors: those of the last
  /// one.
  static Result<MysqlLease> open(const MysqlServers& servers, const std::string& label, std::stop_token stop);
};

}  // namespace longshore
