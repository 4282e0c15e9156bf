#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "scan/postgres/connection.h"
#include "scan/pressure/lag_meter.h"
#include "scan/pressure/server_monitor.h"

namespace longshore {

/// Asks a server how far it is behind, in one round trip.
///
/// A standby: what it has received against what it has replayed, and whether a WAL receiver feeds it at all. Any other
/// server: how far its slowest streaming standby is (which needs pg_monitor to be seen), none: no lag. With a `query`
/// of the catalog: the number that it returns, in seconds. Positions are those of PostgreSQL's documentation, "System
/// Administration Functions, Recovery Information Functions" and "The Cumulative Statistics System".
///
/// What the server cannot tell is in the report; errors are only of the session: `source_unavailable`,
/// `source_timeout`, `scan_stopped`.
Result<ServerReport> ask_lag(PostgresConnection& connection, const std::string& query, LagMeter& meter,
                             const std::stop_token& stop);

/// Asks by ask_lag(), with application_name `longshore monitor`.
std::unique_ptr<LagProbe> postgres_lag_probe(std::string connection_string, std::string lag_query);

}  // namespace longshore
