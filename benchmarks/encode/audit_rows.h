#pragma once

#include <cstddef>
#include <vector>

#include "batch/row_batch.h"
#include "model/export_spec.h"

namespace longshore {

/// The columns of an audit log as products keep them: id, tenant, user, action, time, address, user agent (about
/// 100 B), details (JSON, about 60 B), amount numeric(12,2), a flag, a nullable duration.
std::vector<Column> audit_columns();

/// Deterministic rows in batches as scan/ makes them (5,000 rows or 1 MiB). Of the columns after the action, each cell
/// is NULL with a chance of `null_percent`.
std::vector<RowBatch> make_audit_batches(std::size_t rows, int null_percent);

}  // namespace longshore
