#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/dataset.h"
#include "scan/connection_slots.h"
#include "scan/mysql/connection.h"

namespace longshore {

/// Where a MySQL source's sessions come from: its servers, and no more sessions at a time than it allows. Immutable but
/// for the slots; thread-safe.
class MysqlServers {
 public:
  /// Errors: `bad_source` (user), naming the source.
  static Result<std::shared_ptr<const MysqlServers>> make(const Source& source,
                                                          std::shared_ptr<ConnectionBudget> budget);

  const Source& source() const { return source_; }
  /// The replicas in the catalog's order, then the primary if there is one.
  std::size_t count() const { return addresses_.size(); }
  const MysqlAddress& address(std::size_t index) const { return addresses_[index % count()]; }

  /// Waits for a free place among max_connections. Errors: `scan_stopped`.
  Result<ConnectionSlots::Slot> acquire_slot(std::stop_token stop) const { return budget_->acquire(stop); }
  /// A session on server `index` (modulo their count), on this place. Errors carry the source's name.
  Result<std::unique_ptr<MysqlConnection>> connect(std::size_t index, const std::string& label, std::stop_token stop,
                                                   const ConnectionSlot& slot) const;

 private:
  MysqlServers(Source source, std::shared_ptr<ConnectionBudget> budget);

  Source source_;
  std::vector<MysqlAddress> addresses_;
  std::shared_ptr<ConnectionBudget> budget_;
};

/// A session for a single task. Keeps a place among the source's connections while it lives.
struct MysqlLease {
  ConnectionSlots::Slot slot;
  std::unique_ptr<MysqlConnection> connection;

  /// On the first server that answers. Errors: those of the last one.
  static Result<MysqlLease> open(const MysqlServers& servers, const std::string& label, std::stop_token stop);
};

}  // namespace longshore
