#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "scan/connection_slots.h"
#include "scan/mysql/address.h"

namespace longshore {

/// How to connect, and what the session is told first.
struct MysqlSession {
  MysqlAddress address;
  std::string label;             ///< shown in the process list (a comment in each scan) and as program_name
  Duration statement_timeout{};  ///< on the server; zero means 30 s
  /// What it counts for; nullptr: for nothing. When the place is lost, so is the session.
  std::shared_ptr<ConnectionPlace> place{};
};

/// A query's whole result, as text.
struct MysqlRows {
  std::vector<std::string> names;  ///< of the columns
  std::vector<std::vector<std::optional<std::string>>> rows;
  /// REQUIRES: the value exists and is not null.
  const std::string& at(std::size_t row, std::size_t column) const { return *rows[row][column]; }
};

/// One read-only session on a MySQL or MariaDB server. Never blocks in libmariadb (its non-blocking interface is
/// driven by poll): every wait ends within about 50 ms of `stop` (error `scan_stopped`; what the server still does is
/// killed, and the connection is of no use after). Errors otherwise as in scan_errors.h, from the server's error
/// number; no message contains the password. Not thread-safe.
///
/// The session: UTC, utf8mb4, strict, "names" in double quotes, no backslash escapes, read only, short lock waits.
class MysqlConnection {
 public:
  static Result<std::unique_ptr<MysqlConnection>> open(const MysqlSession& session, std::stop_token stop);
  ~MysqlConnection();
  MysqlConnection(const MysqlConnection&) = delete;
  MysqlConnection& operator=(const MysqlConnection&) = delete;

  /// Runs one statement and collects its rows. REQUIRES: no other statement is running.
  Result<MysqlRows> query(const std::string& sql, std::stop_token stop);
  /// The server's limit for each of the statements that follow.
  Status set_statement_timeout(Duration timeout, std::stop_token stop);

  /// Sends a SELECT and does not wait for anything, so that the server works meanwhile.
  /// REQUIRES: no other statement is running.
  Status send(const std::string& sql, std::stop_token stop);
  /// The next row of the running SELECT, false at its end (another statement may be sent then). Rows are not buffered.
  Result<bool> next_row(std::stop_token stop);
  /// The row that next_row() delivered; data() == nullptr means NULL. Valid until the next call.
  std::span<const std::string_view> row() const;
  /// What the running SELECT's columns are: a number for each that changes when the type does. Valid from the first
  /// next_row() on.
  const std::vector<std::uint64_t>& column_shapes() const;

  bool is_mariadb() const;
  /// `/* longshore/label */ `, harmless in any statement.
  const std::string& comment() const;

 private:
  struct State;
  explicit MysqlConnection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What an error number of the server or of libmariadb means to an export, as an error that carries the words.
Error mysql_failure(unsigned number, const std::string& message);

}  // namespace longshore
