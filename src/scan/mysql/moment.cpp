#include "scan/mysql/moment.h"

#include "scan/mysql/schema_reader.h"
#include "scan/scan_errors.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

/// Between two statements a part may be uploaded, and the pacing may rest.
/// The second holds for transactions that only read, where it is set.
constexpr const char* kIdleTimeout =
    "SET SESSION idle_transaction_timeout = 900, SESSION idle_readonly_transaction_timeout = 900";

}  // namespace

Result<ExportSnapshot> begin_moment(MysqlConnection& connection, const std::string& relation, const std::string& server,
                                    const std::stop_token& stop) {
  TRY(const bool transactional, has_transactions(connection, relation, stop));
  if (!transactional) {
    return fail(moment_unsupported("relation " + relation +
                                   " is a view, or of an engine without transactions (not InnoDB): no moment of it can "
                                   "be kept in sight; use best_effort"));
  }
  if (connection.is_mariadb()) CHECK_OK(connection.query(kIdleTimeout, stop));
  CHECK_OK(connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", stop));
  CHECK_OK(connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", stop));
  TRY(const MysqlRows now, connection.query("SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)", stop));
  ExportSnapshot moment;
  moment.server = server;
  moment.taken_at = Timestamp{Duration{parse_timestamp(now.at(0, 0)).value_or(0)}};
  return moment;
}

}  // namespace longshore
