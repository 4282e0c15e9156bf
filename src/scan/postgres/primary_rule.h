#pragma once

#include <cstddef>
#include <stop_token>

#include "base/result.h"
#include "model/export_spec.h"
#include "scan/postgres/connection.h"

namespace longshore {

class PostgresServers;

/// Whether server `index`, which `connection` leads to, may serve the export: a primary only one of fewer estimated
/// rows than the source says, by the planner's statistics. Errors: `primary_refused`; those of asking.
Status may_serve(const PostgresServers& servers, std::size_t index, PostgresConnection& connection,
                 const ExportSpec& spec, const std::stop_token& stop);

}  // namespace longshore
