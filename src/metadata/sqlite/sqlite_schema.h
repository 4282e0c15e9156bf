#pragma once

#include <span>

#include "metadata/sql.h"

namespace longshore::sql {

/// The schema's history in SQLite's SQL. A migration that was ever released never changes; a new one is added.
std::span<const Migration> sqlite_migrations();

}  // namespace longshore::sql
