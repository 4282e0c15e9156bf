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

/// Where a PostgreSQL source's sessions come from: its servers, and no more sessions at a time than it allows.
/// Immutable but for the slots; thread-safe.
class PostgresServers {
 public:
  explicit PostgresServers(Source source);

  const Source& source() const { return source_; }
  /// The replicas in the catalog's order, then the primary if there is one. An index means the same server as long as
  /// the catalog stays.
  std::size_t count() const { return servers_.size(); }
  const std::string& connection_string(std::size_t index) const { return servers_[index].connection_string; }
  /// `host:port/dbname`: the same in every process with this catalog, unlike the index also after a change of order.
  const std::string& name(std::size_t index) const { return servers_[index].name; }
  /// Whether it is the one that serves small exports only.
  bool is_primary(std::size_t index) const { return servers_[index].primary; }

  /// Waits for a free place among max_connections. Errors: `scan_stopped`.
  Result<ConnectionSlots::Slot> acquire_slot(std::stop_token stop) const { return slots_->acquire(stop); }
  /// A session on server `index` (modulo their count). Errors carry the source's name.
  Result<std::unique_ptr<PostgresConnection>> connect(std::size_t index, const std::string& label,
                                                      std::stop_token stop) const;

 private:
  struct Server {
    std::string connection_string;
    std::string name;
    bool primary = false;
  };

  void add_server(std::string connection_string, bool primary);

  Source source_;
  std::vector<Server> servers_;
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
