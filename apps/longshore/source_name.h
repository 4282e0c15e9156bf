#pragma once

#include <string>

#include "base/result.h"
#include "model/dataset.h"

namespace longshore {

/// A source from what people type: `postgres://…`, `postgresql://…` or `key=value …` (libpq), `mysql://…`,
/// `mariadb://…`, `sqlite:PATH`, or the path of a file, whose first bytes say that it is SQLite. Errors:
/// `bad_arguments`, `source_not_found` (user).
Result<Source> source_of_dsn(const std::string& dsn, const std::string& name);

}  // namespace longshore
