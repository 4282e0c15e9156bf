#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "metadata/sql.h"

namespace longshore::sql {

/// A statement for the server: expanded, NUL-terminated, with a value for each of its parameters.
struct Command {
  const char* sql = nullptr;
  std::span<const Param> params;
};

/// One session of libpq. Used by one thread at a time. Included only by .cpp files.
///
/// Once an error has the code kDisconnected, the session is of no use (usable() says so). Messages never contain the
/// password.
class PostgresConnection {
 public:
  struct Target {
    std::string connection;  ///< as in PostgresOptions
    std::string where;       ///< for messages
    Duration connect_timeout{};
    /// How long the server may keep silent over a command; the network's own timeouts are shorter.
    Duration answer_timeout{};
    std::stop_token hurry;  ///< once requested, it may keep silent for half a second
  };

  /// Errors: kUnavailable.
  static Result<std::unique_ptr<PostgresConnection>> open(const Target& target);

  /// Sends the commands in one go and waits for the answers to all of them. They are one transaction, unless they say
  /// otherwise. After an error in one, those behind it were not run. `doing` is for the message, e.g. `commit`.
  Result<std::vector<Rows>> run(std::initializer_list<Command> commands, std::string_view doing);

  /// Whether the session lives as far as can be told without asking the server: what has arrived meanwhile is read.
  bool alive();
  bool usable() const { return !broken_; }
  /// What the last command was, as the server names it: `COMMIT`, `ROLLBACK`.
  const std::string& last_tag() const { return last_tag_; }

  int server_version() const { return PQserverVersion(handle_.get()); }
  std::string parameter(const char* name) const;
  /// The session's process as the client was told; behind a pooler it is not the server's.
  int backend() const { return PQbackendPID(handle_.get()); }
  int socket() const { return PQsocket(handle_.get()); }
  /// Whether a NOTIFY has arrived from another session.
  bool take_notifications();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Closer {
    void operator()(PGconn* handle) const { PQfinish(handle); }
  };
  struct Clearer {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using ResultHandle = std::unique_ptr<PGresult, Clearer>;

  explicit PostgresConnection(const Target& target) : target_(target) {}
  Status send(const Command& command, std::string_view doing);
  Result<Rows> receive(SteadyTime deadline, std::string_view doing);
  Result<ResultHandle> next_result(SteadyTime deadline, std::string_view doing);
  Result<Rows> read(ResultHandle result, std::string_view doing);
  Error lost(std::string_view doing);
  Error lost(std::string_view doing, std::string_view detail);

  const Target& target_;
  std::unique_ptr<PGconn, Closer> handle_;
  bool broken_ = false;
  std::string last_tag_;
};

/// Errors: `bad_metadata_connection`; the message does not repeat the string, for it may hold a password.
Status check_connection_string(const std::string& connection);
/// `postgresql://host:port/database`, without user and password. REQUIRES: a valid connection string.
std::string describe_connection(const std::string& connection);

}  // namespace longshore::sql
