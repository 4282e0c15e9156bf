#pragma once

#include <optional>
#include <stop_token>
#include <string>
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

/// What a server's settings mean to snapshots that are read from it: nothing on a primary, and nothing on a standby
/// that tells its primary what is still seen. `path`: of the hint; `name`: of the server.
///
/// `standby_cancels_snapshots`: it has hot_standby_feedback off. Errors: as PostgresConnection::query.
Result<std::optional<ReadingHint>> snapshot_hint(PostgresConnection& connection, const std::string& path,
                                                 const std::string& name, std::stop_token stop);

}  // namespace longshore
