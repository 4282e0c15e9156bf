#pragma once

#include <stop_token>

#include "base/result.h"
#include "model/export_spec.h"
#include "scan/postgres/connection.h"
#include "scan/row_source.h"

namespace longshore {

/// How large an export would be, by the planner's statistics, or counted when it is small. Errors as RowSource::next.
Result<ScanEstimate> estimate_export(PostgresConnection& connection, const ExportSpec& spec, std::stop_token stop);

}  // namespace longshore
