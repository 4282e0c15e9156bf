#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "scan/postgres/connection.h"

namespace longshore {

/// Ends the sessions on the connection's server that processes left behind which lost their places: those whose names
/// end with one of these tags, or a tag of the same place from before, but for the connection's own. Returns when none
/// is left. Errors: `source_busy` when some do not end within some seconds; `source_denied` when they are another
/// role's; else as PostgresConnection::query().
Status end_sessions(PostgresConnection& connection, const std::vector<std::string>& tags, std::stop_token stop);

}  // namespace longshore
