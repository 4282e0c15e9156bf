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
#include "scan/mysql/primary_rule.h"
#include "scan/pressure/server_lease.h"
#include "scan/pressure/source_servers.h"

namespace longshore {

/// Where a MySQL source's sessions come from. Thread-safe.
class MysqlServers final : public SourceServers {
 public:
  using Connection = MysqlConnection;

  /// Errors: `bad_source` (user), naming the source; `unknown_time_zone` (of a window of the pacing).
  static Result<std::shared_ptr<const MysqlServers>> make(const Source& source,
                                                          std::shared_ptr<ConnectionBudget> budget);

  const MysqlAddress& address(std::size_t index) const { return addresses_[index % count()]; }
  /// A session on server `index` (modulo their count), on this place. Errors carry the source's name.
  Result<std::unique_ptr<MysqlConnection>> connect(std::size_t index, const std::string& label, std::stop_token stop,
                                                   const ConnectionSlot& slot) const;

 private:
  using SourceServers::SourceServers;

  std::vector<MysqlAddress> addresses_;
};

using MysqlLease = ServerLease<MysqlServers>;

}  // namespace longshore
