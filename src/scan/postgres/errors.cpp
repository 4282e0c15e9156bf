#include <algorithm>
#include <array>

#include "scan/postgres/connection.h"
#include "scan/scan_errors.h"

namespace longshore {

namespace {

bool is_one_of(std::string_view state, std::initializer_list<std::string_view> states) {
  return std::ranges::find(states, state) != states.end();
}

/// Conditions that pass: connection lost (08), out of connections or memory (53), lock timeout (55P03), shutdown, crash
/// and the drop of a session by replay (57P01 to 57P05), I/O errors (58), and internal errors and broken pages (XX),
/// which another server or another minute may not have.
bool is_passing(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  return is_one_of(group, {"08", "53", "58", "XX"}) ||
         is_one_of(state, {"40003", "55P03", "55006", "25P03", "57P01", "57P02", "57P03", "57P04", "57P05"});
}

/// The server gave the statement up for others: a conflict of a standby's query with replay (ERROR or FATAL, 40001), a
/// deadlock, or rows that were needed and are vacuumed (snapshot too old).
bool is_conflict(std::string_view state) {
  return is_one_of(state, {"40001", "40P01", "72000"});
}

/// The statement names something that is not there, or has another type: undefined column, table, function, schema;
/// datatype mismatch, bad text representation, cannot coerce, wrong object type, ambiguous column.
bool is_schema(std::string_view state) {
  return is_one_of(state, {"42703", "42P01", "42883", "3F000", "42804", "42846", "22P02", "22007", "22008", "42809",
                           "42702", "42704", "0A000"});
}

}  // namespace

Error postgres_error(std::string_view sqlstate, const std::string& message) {
  // No SQLSTATE: libpq itself speaks, and only ever of a lost connection.
  if (sqlstate.empty()) return source_unavailable("the connection to the database was lost: " + message);
  const std::string said = message + " (SQLSTATE " + std::string(sqlstate) + ")";
  if (is_passing(sqlstate)) return source_unavailable(said);
  if (is_conflict(sqlstate)) return source_conflict(said);
  if (sqlstate == "57014") return source_timeout(said);
  if (is_schema(sqlstate)) {
    return source_schema_changed("the database does not match the catalog: " + said +
                                 "; run `longshore catalog check`");
  }
  if (sqlstate.starts_with("28") || sqlstate == "42501" || sqlstate == "3D000") {
    return source_denied("the database refuses: " + said);
  }
  if (sqlstate == "22021") return bad_filter_value(said);
  return source_query_failed(said);
}

}  // namespace longshore
