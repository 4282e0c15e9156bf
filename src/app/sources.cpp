#include "app/sources.h"

#include <memory>
#include <utility>

#include "scan/source_database.h"

namespace longshore {

Result<SourceTable> make_sources(const Catalog& catalog) {
  SourceTable table;
  for (const Source& source : catalog.sources()) {
    TRY(std::unique_ptr<SourceDatabase> database, make_source(source));
    table.add(source.name, std::move(database));
  }
  return table;
}

}  // namespace longshore
