#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "scan/pressure/server_board.h"

namespace longshore {

/// Asks one server how far it lags, in whatever way its database knows, by a small session of its own that stays open
/// between two questions. Used by one thread.
class LagProbe {
 public:
  virtual ~LagProbe() = default;
  /// Opens the session if there is none. What the server cannot tell is in the report; an error says that the session
  /// cannot be had or was lost: then there is none any more.
  virtual Result<ServerReport> ask(const std::stop_token& stop) = 0;
  /// Closes the session; there will be a gap in the questions.
  virtual void hang_up() = 0;
};

/// Asks a source's servers again and again whether they are there and how far they lag, and writes it on the board. One
/// thread for each server (its session comes beside the connections that `max_connections` allows), only while somebody
/// reads from the source and half a minute after. Thread-safe.
class ServerMonitor {
 public:
  struct Server {
    std::size_t index = 0;  ///< on the board
    std::unique_ptr<LagProbe> probe;
  };

  /// The board outlives it.
  ServerMonitor(ServerBoard& board, std::vector<Server> servers, Duration interval);
  ServerMonitor(const ServerMonitor&) = delete;
  ServerMonitor& operator=(const ServerMonitor&) = delete;

  void begin_use();
  void end_use();

 private:
  void run(const std::stop_token& stop, const Server& server);
  bool in_use() const;

  ServerBoard& board_;
  const std::vector<Server> servers_;
  const Duration interval_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  int users_ = 0;
  std::chrono::steady_clock::time_point linger_until_;
  std::vector<std::jthread> threads_;  ///< started by the first use; the last member, so that they end first
};

}  // namespace longshore
