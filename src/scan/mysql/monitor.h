#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "scan/mysql/address.h"
#include "scan/pressure/server_board.h"

namespace longshore {

/// Asks a source's servers every second whether they are there and how far they lag, and writes it on the board. One
/// thread and one small session for each server (program_name `longshore/monitor`, beside the connections that
/// `max_connections` allows), only while somebody reads from the source and half a minute after.
class MysqlMonitor {
 public:
  struct Server {
    std::size_t index = 0;  ///< on the board
    MysqlAddress address;
    bool primary = false;
  };

  /// The board outlives it.
  MysqlMonitor(ServerBoard& board, std::vector<Server> servers, Duration interval, std::string lag_query);
  MysqlMonitor(const MysqlMonitor&) = delete;
  MysqlMonitor& operator=(const MysqlMonitor&) = delete;

  void begin_use();
  void end_use();

 private:
  class Poll;
  void run(const std::stop_token& stop, const Server& server);
  bool in_use() const;

  ServerBoard& board_;
  const std::vector<Server> servers_;
  const Duration interval_;
  const std::string lag_query_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  int users_ = 0;
  std::chrono::steady_clock::time_point linger_until_;
  std::vector<std::jthread> threads_;  ///< started by the first use; the last member, so that they end first
};

}  // namespace longshore
