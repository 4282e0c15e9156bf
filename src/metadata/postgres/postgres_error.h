#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace longshore::sql {

/// What an SQLSTATE (PostgreSQL, appendix A; empty: libpq itself speaks, and the connection is lost) means to the
/// store, with the codes of sql.h. `where`: the database; `doing`: e.g. `commit`; `detail`: the server's own message.
Error postgres_error(std::string_view sqlstate, const std::string& where, std::string_view doing,
                     std::string_view detail);

}  // namespace longshore::sql
