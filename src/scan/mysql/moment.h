#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "model/job.h"
#include "scan/mysql/connection.h"

namespace longshore {

/// Begins a transaction on `connection` in which everything that is read of `relation` is as it is now, until the
/// session ends: REPEATABLE READ with a consistent snapshot, which no other session can share (MariaDB's and MySQL's
/// documentation of START TRANSACTION). `server`: its name. Errors: `snapshot_unsupported` (user) for tables whose
/// engine has no transactions, and for views, which may be made of such; those of the connection.
Result<ExportSnapshot> begin_moment(MysqlConnection& connection, const std::string& relation, const std::string& server,
                                    const std::stop_token& stop);

}  // namespace longshore
