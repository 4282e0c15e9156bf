#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/dataset.h"
#include "scan/connection_slots.h"
#include "scan/postgres/connection.h"

namespace longshore {

/// Where a PostgreSQL source's sessions come from: its servers in order, and no more sessions at a time than it allows.
/// Immutable but for the slots; thread-safe.
class PostgresServers {
 public:
  explicit PostgresServers(Source source);

  const Source& source() const { return source_; }
  /// Replicas in the catalog's order, else the primary.
  std::size_t count() const { return connection_strings_.size(); }
  const std::string& connection_string(std::size_t index) const { return connection_strings_[index]; }

  /// Waits for a free place among max_connections. Errors: `scan_stopped`.
  Result<ConnectionSlots::Slot> acquire_slot(std::stop_token stop) const { return slots_->acquire(stop); }
  /// A session on server `index` (modulo their count). Errors carry the source's name.
  Result<std::unique_ptr<PostgresConnection>> connect(std::size_t index, const std::string& label,
                                                      std::stop_token stop) const;

 private:
  Source source_;
  std::vector<std::string> connection_strings_;
  std::shared_ptr<ConnectionSlots> slots_;
};

/// A session for a single task. Keeps a place among the source's connections while it lives.
struct PostgresLease {
  ConnectionSlots::Slot slot;
  std::unique_ptr<PostgresConnection> connection;

  /// On the first server that answers. Errors: those of the last one.
  static Result<PostgresLease> open(const PostgresServers& servers, const std::string& label, std::stop_token stop);
};

}  // namespace longshore
