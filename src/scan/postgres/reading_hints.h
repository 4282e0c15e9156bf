#pragma once

#include <stop_token>
#include <vector>

#include "base/result.h"
#include "model/dataset.h"
#include "model/relation_info.h"
#include "scan/postgres/connection.h"

namespace longshore {

/// What PostgreSQL's catalog and planner tell of reading this dataset in batches of `batch_rows`; see
/// SchemaInspector::reading_hints. Small relations have no hints but `foreign_table`.
///
/// `no_statistics`: tables that were never analysed. `parent_not_analysed`: a partitioned or inherited table without
/// statistics of its own; autovacuum makes none. `foreign_table`: rows that another server fetches. `key_sorted`: the
/// planner sorts many rows for a batch instead of reading an index in the key's order.
///
/// Errors: as PostgresConnection::query.
Result<std::vector<ReadingHint>> reading_hints(PostgresConnection& connection, const Dataset& dataset, int batch_rows,
                                               std::stop_token stop);

}  // namespace longshore
