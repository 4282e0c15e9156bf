#pragma once

#include <functional>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "model/relation_info.h"

namespace longshore {

/// The live schema of a source; the caller owns it and keeps it while the check runs. The error says why it is away.
using SchemaLookup = std::function<Result<SchemaInspector*>(const Source&)>;

/// Proves every dataset against its live database: relation and columns exist and their types fit; the key is unique,
/// not null and indexed in its order; tenant, time and subject columns exist and fit. Returns all findings, in the
/// order of the datasets, `where` = `file:line:column`; none: everything fits. Each message says how to mend it.
///
/// Codes: `source_unavailable`, `relation_not_found`, `column_not_found`, `type_mismatch`, `key_nullable`,
/// `key_not_unique`, `key_not_indexed`; of what materialized exports need besides `staging_unavailable`,
/// `staging_read_only`, `staging_denied`, `staging_relation`.
std::vector<ErrorDetail> check_catalog(const Catalog& catalog, const SchemaLookup& lookup);

/// What works and may yet be slow or unevenly cut, as the databases' own statistics and plans tell (see
/// SchemaInspector::reading_hints), and what their settings mean to snapshots, where a dataset allows them
/// (snapshot_hints): warnings, those of the sources first, then in the order of the datasets. What cannot be asked
/// about has none.
///
/// Codes of PostgreSQL: `standby_cancels_snapshots`, `server_unavailable`; `no_statistics`, `parent_not_analysed`,
/// `foreign_table`, `key_sorted`.
std::vector<ErrorDetail> advise_catalog(const Catalog& catalog, const SchemaLookup& lookup);

}  // namespace longshore
