#pragma once

#include <span>

#include "metadata/sql.h"

namespace longshore::sql {

/// The schema's history in PostgreSQL's SQL; a version is the same step as in sqlite_migrations(). A migration that was
/// ever released never changes; a new one is added.
std::span<const Migration> postgres_migrations();

}  // namespace longshore::sql
