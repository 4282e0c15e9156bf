#pragma once

#include <memory>

#include "base/result.h"
#include "model/dataset.h"
#include "scan/connection_slots.h"
#include "scan/row_source.h"

namespace longshore {

/// A PostgreSQL source: `replicas` in order, else `primary`. No I/O here; connections are opened when used.
/// Errors: `bad_source` (user) when a connection string cannot be read or there is none.
Result<std::unique_ptr<SourceDatabase>> make_postgres_source(const Source& source,
                                                             std::shared_ptr<ConnectionBudget> budget);
/// A MySQL or MariaDB source: `replicas` in order, then `primary`, each a `mysql://…` URL (see mysql/address.h). No I/O
/// here. Errors: `bad_source` (user).
Result<std::unique_ptr<SourceDatabase>> make_mysql_source(const Source& source,
                                                          std::shared_ptr<ConnectionBudget> budget);
/// A SQLite source: the file `path`, read only. Errors: `bad_source` (user) when there is no path.
Result<std::unique_ptr<SourceDatabase>> make_sqlite_source(const Source& source);
/// The one that `source.driver` names. `budget`: who grants its connections (a SQLite file has a limit of its own in
/// every process); nullptr: `max_connections` of them in this process.
Result<std::unique_ptr<SourceDatabase>> make_source(const Source& source,
                                                    std::shared_ptr<ConnectionBudget> budget = nullptr);

}  // namespace longshore
