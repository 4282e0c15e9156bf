#pragma once

#include "base/result.h"
#include "budget/cluster_budget.h"
#include "catalog/catalog.h"
#include "scan/source_table.h"

namespace longshore {

/// The databases of a catalog. No connection is opened. `budget`: who grants connections to servers; nullptr: every
/// source has its `max_connections` in this process. Slots of it may be held as long as the table lives.
Result<SourceTable> make_sources(const Catalog& catalog, ClusterBudget* budget = nullptr);

}  // namespace longshore
