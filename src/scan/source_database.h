#pragma once

#include <memory>

#include "base/result.h"
#include "model/dataset.h"
#include "scan/row_source.h"

namespace longshore {

/// A PostgreSQL source: `replicas` in order, else `primary`. No I/O here; connections are opened when used.
/// Errors: `bad_source` (user) when a connection string cannot be read or there is none.
Result<std::unique_ptr<SourceDatabase>> make_postgres_source(const Source& source);
/// A SQLite source: the file `path`, read only. Errors: `bad_source` (user) when there is no path.
Result<std::unique_ptr<SourceDatabase>> make_sqlite_source(const Source& source);
/// The one that `source.driver` names.
Result<std::unique_ptr<SourceDatabase>> make_source(const Source& source);

}  // namespace longshore
