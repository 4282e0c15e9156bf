#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/dataset.h"
#include "scan/connection_slots.h"
#include "scan/postgres/connection.h"
#include "scan/postgres/primary_rule.h"
#include "scan/pressure/server_lease.h"
#include "scan/pressure/session_park.h"
#include "scan/pressure/source_servers.h"

namespace longshore {

/// Where a PostgreSQL source's sessions come from. Thread-safe.
class PostgresServers final : public SourceServers {
 public:
  using Connection = PostgresConnection;

  /// Errors: `unknown_time_zone` (of a window of the pacing).
  /// `elsewhere`: connection strings of others on which sessions under the same budget may be.
  static Result<std::shared_ptr<const PostgresServers>> make(Source source, std::shared_ptr<ConnectionBudget> budget,
                                                             std::vector<std::string> elsewhere = {});

  const std::string& connection_string(std::size_t index) const { return connection_strings_[index]; }

  /// SourceServers::acquire_slot(), and sees to it that processes which lost theirs have no sessions left.
  Result<ConnectionSlot> acquire_slot(std::stop_token stop, std::optional<Duration> patience = std::nullopt) const;
  /// A session on server `index` (modulo their count), on this place: one that was left open there, or a new one.
  /// Errors carry the source's name.
  Result<std::unique_ptr<PostgresConnection>> connect(std::size_t index, const std::string& label, std::stop_token stop,
                                                      const ConnectionSlot& slot) const;
  /// Leaves a session that has done what it was for to whoever needs one next, for a moment; one that is fit for
  /// nobody ends, and its place with it.
  void park(std::size_t index, std::unique_ptr<PostgresConnection> connection, ConnectionSlot slot) const;

 private:
  PostgresServers(Source source, std::shared_ptr<ConnectionBudget> budget);
  Status end_lost_sessions(ConnectionSlot& slot, const std::stop_token& stop) const;
  PostgresSession session_for(const std::string& connection_string, const std::string& label,
                              const ConnectionSlot& slot) const;
  Result<std::unique_ptr<PostgresConnection>> open(const std::string& connection_string, const std::string& label,
                                                   std::stop_token stop, const ConnectionSlot& slot) const;

  std::vector<std::string> connection_strings_;
  std::vector<std::string> elsewhere_;
  mutable SessionPark park_;
};

using PostgresLease = ServerLease<PostgresServers>;

}  // namespace longshore
