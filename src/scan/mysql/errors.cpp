#include <algorithm>
#include <initializer_list>

#include "scan/mysql/connection.h"
#include "scan/scan_errors.h"

namespace longshore {

namespace {

// The server's numbers are those of MariaDB's and MySQL's error references (mysqld_error.h), the client's those of
// errmsg.h. Numbers from 2000 to 2999 and from 5000 to 5999 are the client library's own.

bool is_one_of(unsigned number, std::initializer_list<unsigned> numbers) {
  return std::ranges::find(numbers, number) != numbers.end();
}

/// Too many connections (1040, 1203, 1637), out of memory or threads (1037, 1038, 1041, 1135), handshake or network
/// failed (1042, 1043, 1081, 1152 to 1161, 1184), shutdown (1053, 1077 to 1079), lock waits and deadlocks (1205, 1213,
/// 1614), somebody killed the statement or session (1317, 1927, 1094), the table was altered under a statement (1412),
/// storage errors that pass (1021, 1030), idle or backed-off servers (1872, 3169, 4031, 3572).
bool is_passing(unsigned number) {
  if (number >= 1152 && number <= 1161) return true;
  return is_one_of(number, {1021, 1030, 1037, 1038, 1040, 1041, 1042, 1043, 1053, 1077, 1078, 1079, 1081, 1094,
                            1135, 1184, 1203, 1205, 1213, 1317, 1412, 1614, 1637, 1872, 1927, 3169, 3572, 4031});
}

/// Of the client: no authentication plugin or a failed one (2049, 2059, 2061), TLS that cannot be agreed on (2026).
bool is_client_refusal(unsigned number) {
  return is_one_of(number, {2026, 2049, 2059, 2061});
}

/// Unknown table (1051, 1109, 1146, 1932), column (1054), view that does not work (1356), function (1305), ambiguous
/// column (1052).
bool is_schema(unsigned number) {
  return is_one_of(number, {1051, 1052, 1054, 1109, 1146, 1305, 1356, 1932});
}

/// Access denied to the server, database, table, column or by a missing privilege; host blocked; password expired;
/// unknown database; TLS demanded.
bool is_denied(unsigned number) {
  return is_one_of(number, {1044, 1045, 1049, 1129, 1130, 1142, 1143, 1227, 1251, 1275, 1370, 1698, 1820, 1862, 3118,
                            3159, 3955, 4151});
}

}  // namespace

Error mysql_failure(unsigned number, const std::string& message) {
  const std::string said = message + " (error " + std::to_string(number) + ")";
  if (is_client_refusal(number)) return source_denied("the database refuses: " + said);
  const bool of_client = (number >= 2000 && number < 3000) || (number >= 5000 && number < 6000);
  if (of_client) return source_unavailable("no connection to the database: " + said);
  if (is_passing(number)) return source_unavailable(said);
  if (number == 1969 || number == 3024) return source_timeout(said);  // MariaDB's and MySQL's statement limit
  if (is_schema(number)) {
    return source_schema_changed("the database does not match the catalog: " + said +
                                 "; run `longshore catalog check`");
  }
  if (is_denied(number)) return source_denied("the database refuses: " + said);
  return source_query_failed(said);
}

}  // namespace longshore
