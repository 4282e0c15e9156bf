#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "dispatch/work_signal.h"

namespace longshore {

struct PostgresSignalOptions {
  /// Of a session of its own, as in sql::PostgresOptions. It must lead to the server itself: a pooler in transaction
  /// mode takes a LISTEN and delivers nothing.
  std::string connection;
  /// Processes with the same metadata share it. At most 63 characters.
  std::string channel = "longshore_work";
  /// At most one NOTIFY is sent in this time, and one is acted upon: a hint that comes while a worker looks says
  /// nothing new, and every NOTIFY wakes all processes.
  Duration debounce = std::chrono::milliseconds{50};
  Duration first_retry = std::chrono::milliseconds{100};
  Duration max_retry = std::chrono::seconds{30};
  /// Once it is requested, a lost session is not made again: the process ends, and should not wait for that.
  std::stop_token hurry;
  /// Told when the hints of other processes begin to arrive (true, no error), and when they stop (false, and why).
  /// Called on the signal's thread.
  std::function<void(bool listening, const Error* why)> on_change;
};

/// Hints between processes by LISTEN and NOTIFY. Hints within the process never wait for the database; while it is
/// away, or behind a pooler, they are all there is, and polling finds the rest. Thread-safe.
///
/// One thread holds the session: it sends, listens, and comes back after an outage, with backoff and jitter. After each
/// return it wakes everybody once, since hints may have been missed.
class PostgresSignal final : public WorkSignal {
 public:
  /// Starts the thread; does not wait for the database. Errors: `bad_metadata_connection` (user).
  static Result<std::unique_ptr<PostgresSignal>> make(PostgresSignalOptions options);
  ~PostgresSignal() override;

  void announce() override;
  /// Waits a random part, from half to all, of `at_most`, so that processes that began together do not poll together.
  void wait(std::uint64_t& seen, std::chrono::milliseconds at_most, std::stop_token stop) override;
  /// Whether hints of other processes arrive now.
  bool listening() const;

 private:
  class Session;
  explicit PostgresSignal(std::unique_ptr<Session> session);

  std::unique_ptr<Session> session_;
};

}  // namespace longshore
