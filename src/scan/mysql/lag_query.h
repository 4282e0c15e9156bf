#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "scan/mysql/connection.h"
#include "scan/pressure/server_monitor.h"

namespace longshore {

/// Asks a server how far it is behind, in one round trip: the largest Seconds_Behind_Master of its replication channels
/// (SHOW ALL SLAVES STATUS in MariaDB, SHOW REPLICA STATUS in MySQL), no channel: no lag. With a `query` of the
/// catalog, e.g. of a heartbeat table: the number that it returns, in seconds, a fraction included.
///
/// What the server cannot tell (replication has stopped, or this user may not know) is in the report, without a lag;
/// but where `is_primary`, a user who may not know takes it for no lag. Errors are only of the session:
/// `source_unavailable`, `source_timeout`, `scan_stopped`.
Result<ServerReport> ask_lag(MysqlConnection& connection, const std::string& query, bool is_primary,
                             const std::stop_token& stop);

/// Asks by ask_lag(), with program_name `longshore/monitor`.
std::unique_ptr<LagProbe> mysql_lag_probe(MysqlAddress address, std::string lag_query, bool is_primary);

}  // namespace longshore
