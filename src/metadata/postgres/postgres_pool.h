#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "metadata/postgres/postgres_connection.h"

namespace longshore::sql {

/// A bounded pool of sessions. Thread-safe. Included only by .cpp files.
///
/// While the server is away, one caller at a time tries to reach it; the others are told the last error at once, or
/// wait for that attempt if they are patient. So an outage neither piles up threads nor floods the server when it comes
/// back. Once `target.hurry` is requested nobody is patient, and a server that was found away is not tried again.
class PostgresPool {
 public:
  struct Limits {
    int connections = 0;
    Duration busy_timeout{};  ///< wait for one that is in use
    int idle = 0;             ///< kept open while nobody needs them
  };
  PostgresPool(PostgresConnection::Target target, Limits limits);
  ~PostgresPool();
  PostgresPool(const PostgresPool&) = delete;
  PostgresPool& operator=(const PostgresPool&) = delete;

  /// A session outside of any transaction. `patience`: how long to wait for a server that is away. Errors:
  /// `metadata_unavailable`.
  Result<std::unique_ptr<PostgresConnection>> acquire(Duration patience);
  /// Gives a session back. One that is broken is closed, and with it all that lie idle: they went the same way, or cost
  /// little to make anew.
  void release(std::unique_ptr<PostgresConnection> connection);

  const std::string& where() const { return target_.where; }

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  Error busy() const;
  Result<std::unique_ptr<PostgresConnection>> connect(std::unique_lock<std::mutex>& lock, SteadyTime until);
  void note_failure(const Error& error);

  const PostgresConnection::Target target_;
  const Limits limits_;

  std::mutex mutex_;
  std::condition_variable changed_;
  int lent_ = 0;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
  std::optional<Error> away_;  ///< the last attempt to connect failed with this
  bool trying_ = false;        ///< somebody is connecting, while it is away
  int failures_ = 0;           ///< in a row
  SteadyTime next_try_;
  std::optional<std::stop_callback<std::function<void()>>> on_hurry_;  ///< last: it uses the rest
};

}  // namespace longshore::sql
