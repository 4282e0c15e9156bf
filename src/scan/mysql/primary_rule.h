#pragma once

#include <cstddef>
#include <stop_token>

#include "base/result.h"
#include "model/export_spec.h"
#include "scan/mysql/connection.h"

namespace longshore {

class MysqlServers;

/// Whether server `index`, which `connection` leads to, may serve the export: a primary only one of fewer estimated
/// rows than the source says, by EXPLAIN. Errors: `primary_refused`; those of asking.
Status may_serve(const MysqlServers& servers, std::size_t index, MysqlConnection& connection, const ExportSpec& spec,
                 const std::stop_token& stop);

}  // namespace longshore
