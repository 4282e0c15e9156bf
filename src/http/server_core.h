#pragma once

// Private to server.cpp and connection.cpp: the only files that see Boost.Asio.

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "http/server.h"

namespace longshore {

class Connection;

/// One I/O thread and the connections that live on it. Everything here is touched by that thread only, which is why
/// connections need neither locks nor strands.
struct Loop {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  boost::asio::steady_timer tick{io};
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections;
  bool stopping = false;
  std::chrono::sys_seconds date_second{};
  std::string date;  ///< the Date header's value for `date_second`
  std::thread thread;
};

/// What all connections of a server share.
struct ServerCore {
  ServerCore(ServerOptions options_in, RequestHandler handler_in, ExchangeObserver observer_in)
      : options(std::move(options_in)),
        handler(std::move(handler_in)),
        observer(std::move(observer_in)),
        handlers(static_cast<std::size_t>(options.handler_threads)) {}

  const ServerOptions options;
  const RequestHandler handler;
  const ExchangeObserver observer;
  std::atomic<std::int64_t> body_bytes{0};  ///< reserved for request bodies, bounded by max_body_bytes_in_flight

  mutable std::mutex mutex;
  std::condition_variable closed;
  int open = 0;  ///< connections; guarded by mutex

  // Jobs on the pools refer to connections, and those to a loop: the pools are declared after the loops so that they
  // are destroyed before.
  std::vector<std::unique_ptr<Loop>> loops;
  boost::asio::thread_pool handlers;
  boost::asio::thread_pool files{2};
};

}  // namespace longshore
