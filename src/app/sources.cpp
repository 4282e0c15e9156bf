#include "app/sources.h"

#include <memory>
#include <utility>

#include "scan/source_database.h"

namespace longshore {

Result<SourceTable> make_sources(const Catalog& catalog, ClusterBudget* budget) {
  SourceTable table;
  for (const Source& source : catalog.sources()) {
    // A SQLite file is this machine's own.
    const bool shared = budget != nullptr && source.driver != SourceDriver::sqlite;
    TRY(std::unique_ptr<SourceDatabase> database, make_source(source, shared ? budget->budget_of(source) : nullptr));
    table.add(source.name, std::move(database));
  }
  return table;
}

}  // namespace longshore
