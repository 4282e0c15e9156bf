#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace longshore::sql {

/// What a result code of SQLite (extended or not) means to the store, with the codes of sql.h. `where`: the file;
/// `doing`: e.g. `commit`; `detail`: SQLite's own message.
Error sqlite_error(int code, const std::string& where, std::string_view doing, std::string_view detail);

}  // namespace longshore::sql
