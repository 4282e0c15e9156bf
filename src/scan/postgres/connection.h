#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "scan/connection_slots.h"

namespace longshore {

/// How to connect, and what the session is told first.
struct PostgresSession {
  std::string connection_string;
  std::string application_name;  ///< cut to PostgreSQL's 63 bytes
  Duration statement_timeout{};  ///< on the server; zero means 30 s
  /// What it counts for; nullptr: for nothing. Its tag ends the session's name. The session keeps it until the server
  /// has ended; when the place is lost, so is the session, at once.
  std::shared_ptr<ConnectionPlace> place{};
};

/// The rows of a query's result, as text.
struct PostgresRows {
  std::vector<std::vector<std::optional<std::string>>> rows;
  /// REQUIRES: the value exists and is not null.
  const std::string& at(std::size_t row, std::size_t column) const { return *rows[row][column]; }
};

/// One read-only session on a PostgreSQL server, driven without ever blocking in libpq: every wait ends within about
/// 50 ms of `stop` (error `scan_stopped`; the running statement is cancelled and the connection is of no use after).
/// Errors otherwise as in scan_errors.h, from the server's SQLSTATE; no message contains the password. Not thread-safe.
class PostgresConnection {
 public:
  static Result<std::unique_ptr<PostgresConnection>> open(const PostgresSession& session, std::stop_token stop);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  /// Whether nothing runs on it, no transaction was begun, and nothing is known to be wrong with it: somebody else may
  /// go on with it, after reuse().
  bool reusable() const;
  /// Makes it a session for somebody else, of this name and statement timeout, and sees whether it is still there.
  /// REQUIRES: reusable(), and `session` is otherwise what it was opened with.
  Status reuse(const PostgresSession& session, std::stop_token stop);

  /// Runs one statement; `parameters` are $1, $2, … as text.
  Result<PostgresRows> query(const std::string& sql, const std::vector<std::string>& parameters, std::stop_token stop);
  /// Runs several statements, each ended by a semicolon, in one round trip; their rows come one after the other.
  Result<PostgresRows> query_each(const std::string& statements, std::stop_token stop);
  /// Whether a transaction was begun and not ended.
  bool in_transaction() const;
  /// `SET statement_timeout` for what follows.
  Status set_statement_timeout(Duration timeout, std::stop_token stop);

  /// Sends a `COPY … TO STDOUT` and does not wait for anything, so that the server works meanwhile.
  /// REQUIRES: no other statement is running.
  Status send_copy(const std::string& sql, std::stop_token stop);
  /// The next message of the running COPY, false at its end (another statement may be sent then).
  Result<bool> next_copy_row(std::stop_token stop);
  /// The last message that next_copy_row() delivered. Its bytes stay where they are until two more have come: the
  /// binary format's trailer does not take the last row away.
  std::string_view last_row() const;

 private:
  struct State;
  explicit PostgresConnection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What an SQLSTATE means to an export, as an error that carries the server's words.
Error postgres_error(std::string_view sqlstate, const std::string& message);
/// How logs, metrics and errors call the server that a connection string leads to: `host:port/dbname`, a socket's
/// directory as the host. Never a user or a password. What the string leaves out is what libpq would take.
std::string server_name(const std::string& connection_string);
/// Error `bad_source` when it is no connection string; the message does not repeat it, as it may hold a password.
Status check_connection_string(const std::string& connection_string);

}  // namespace longshore
