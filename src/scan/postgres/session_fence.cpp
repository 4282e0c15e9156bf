#include "scan/postgres/session_fence.h"

#include <chrono>

#include "base/clock.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

constexpr std::chrono::seconds kLongest{3};
constexpr std::chrono::milliseconds kPause{10};

}  // namespace

Status end_sessions(PostgresConnection& connection, const std::vector<std::string>& tags, std::stop_token stop) {
  // The tags' counters sort as text of the C collation.
  const std::string length = std::to_string(kPlaceTagLength);
  const std::string mark = std::to_string(kPlaceMarkLength);
  const std::string sql =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND EXISTS "
      "(SELECT FROM unnest(string_to_array($1, ',')) lost WHERE left(right(application_name, " +
      length + "), " + mark + ") = left(lost, " + mark + ") AND right(application_name, " + length +
      ") <= lost COLLATE \"C\")";
  SystemClock clock;
  const auto until = clock.steady_now() + kLongest;
  while (true) {
    TRY(const PostgresRows left, connection.query(sql, {join(tags, ",")}, stop));
    if (left.rows.empty()) return {};
    if (clock.steady_now() > until) {
      Error error = source_busy();
      error.message = "sessions of a process that lost its places do not end";
      return fail(std::move(error));
    }
    if (!clock.sleep_for(kPause, stop)) return fail(scan_stopped());
  }
}

}  // namespace longshore
