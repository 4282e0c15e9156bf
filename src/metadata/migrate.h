#pragma once

#include "metadata/sql.h"

namespace longshore::sql {

/// Brings the database to the newest schema this build knows: each missing migration in one transaction, recorded in
/// `schema_migrations`. Safe when several processes do it at once: one runs a migration, the others find it done.
/// Errors: `metadata_schema_newer` (a newer Longshore has used this database; nothing is changed).
Status migrate(Database& database);

/// Whether the schema is exactly the newest this build knows; what a store asks before it starts. Errors:
/// `metadata_schema_newer`, `metadata_schema_older` (migrate() has not run).
Status check_schema(Database& database);

}  // namespace longshore::sql
