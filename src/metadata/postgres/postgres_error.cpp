#include "metadata/postgres/postgres_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "metadata/sql.h"

namespace longshore::sql {
namespace {

bool is_one_of(std::string_view state, std::initializer_list<std::string_view> states) {
  return std::ranges::find(states, state) != states.end();
}

/// The session has ended, or is about to: connection exceptions (also what pgbouncer says when it loses its server),
/// admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout, and
/// idle_in_transaction_session_timeout.
bool is_disconnection(std::string_view state) {
  return state.empty() || state.starts_with("08") ||
         is_one_of(state, {"57P01", "57P02", "57P03", "57P04", "57P05", "25P03"});
}

/// What the operator can do about it; empty when the server's message says it all.
std::string_view advice(std::string_view state) {
  if (state == "55P03") return "another transaction has held its lock for too long";
  if (state == "57014") return "the statement took longer than its time limit: is the server overloaded?";
  if (state == "53100") return "the database's disk is full: free some space, work continues by itself";
  if (state == "53300") return "raise max_connections of the server, or lower that of Longshore's processes";
  if (state == "25006") return "the server is read-only, perhaps a standby: name the primary, or all of its candidates";
  if (state == "42501") return "grant the role of Longshore its rights on the schema";
  return {};
}

}  // namespace

Error postgres_error(std::string_view sqlstate, const std::string& where, std::string_view doing,
                     std::string_view detail) {
  const std::string_view help = advice(sqlstate);
  const std::string state = sqlstate.empty() ? std::string() : fmt::format(" (SQLSTATE {})", sqlstate);
  const std::string message = fmt::format("the metadata store {} cannot {}: {}{}{}{}", where, doing, detail, state,
                                          help.empty() ? "" : "; ", help);
  if (is_disconnection(sqlstate)) return external_error(kDisconnected, message);
  if (is_one_of(sqlstate, {"40001", "40P01"})) return external_error(kConflict, message);
  if (sqlstate == "23505") return internal_error(kDuplicate, message);
  // Too long for its varchar; bytes that are no text.
  if (sqlstate.starts_with("23") || is_one_of(sqlstate, {"22001", "22021", "22P05"})) {
    return internal_error(kConstraint, message);
  }
  if (is_one_of(sqlstate, {"XX001", "XX002"})) return external_error(kCorrupt, message, false);
  // Conflicts of other kinds, resources, operator's intervention, system errors, rights, a standby.
  for (const std::string_view group : {"28", "3D", "40", "53", "55", "57", "58"}) {
    if (sqlstate.starts_with(group)) return external_error(kUnavailable, message);
  }
  if (is_one_of(sqlstate, {"25006", "42501"})) return external_error(kUnavailable, message);
  return internal_error(kStatement, message);
}

}  // namespace longshore::sql
