#include "http/server.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "http/connection.h"
#include "http/server_core.h"

namespace longshore {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr int kRefusedAtOnce = 64;  // connections over the limit that get an answer; more are closed without one
constexpr std::chrono::milliseconds kCutOffTime{500};

std::string endpoint_text(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? '[' + address + ']' : address) + ':' + std::to_string(endpoint.port());
}

Error listen_error(const tcp::endpoint& endpoint, const ErrorCode& ec) {
  const std::string where = endpoint_text(endpoint);
  if (ec == asio::error::address_in_use) {
    return user_error("listen_failed", "address already in use: " + where +
                                           "; another program listens there: stop it, or choose another port");
  }
  if (ec == asio::error::access_denied) {
    return user_error("listen_failed", "may not listen on " + where + ": ports below 1024 need privileges");
  }
  if (ec == boost::system::errc::address_not_available) {
    return user_error("listen_failed", "cannot listen on " + where + ": no interface of this machine has that address");
  }
  return user_error("listen_failed", "cannot listen on " + where + ": " + ec.message());
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, RequestHandler handler, ExchangeObserver observer)
      : core_(std::move(options), std::move(handler), std::move(observer)) {
    for (int i = 0; i < core_.options.io_threads; ++i) core_.loops.push_back(std::make_unique<Loop>());
    acceptor_.emplace(core_.loops.front()->io);
    retry_.emplace(core_.loops.front()->io);
  }

  ~Impl() {
    stop(std::chrono::milliseconds(0));
    core_.handlers.join();
    core_.files.join();
  }

  Status listen() {
    ErrorCode ec;
    const std::string& text = core_.options.address;
    const auto address = asio::ip::make_address(text == "localhost" ? "127.0.0.1" : text, ec);
    if (ec) return fail(user_error("listen_failed", "'" + text + "' is not an IP address to listen on"));
    const tcp::endpoint wanted(address, core_.options.port);
    acceptor_->open(wanted.protocol(), ec);
    // A port whose last connections linger in TIME_WAIT can be had again; one that is listened on cannot.
    if (!ec) acceptor_->set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor_->bind(wanted, ec);
    if (!ec) acceptor_->listen(tcp::acceptor::max_listen_connections, ec);
    if (ec) return fail(listen_error(wanted, ec));
    endpoint_ = acceptor_->local_endpoint(ec);
    return {};
  }

  void run() {
    accept_next();
    for (const auto& loop : core_.loops) {
      tick(*loop);
      loop->thread = std::thread([&io = loop->io] { io.run(); });
    }
  }

  const tcp::endpoint& endpoint() const { return endpoint_; }

  int open_connections() const {
    const std::lock_guard lock(core_.mutex);
    return core_.open;
  }

  int stop(std::chrono::milliseconds grace) {
    const std::lock_guard once(stop_mutex_);
    if (std::exchange(stopped_, true)) return 0;
    asio::post(core_.loops.front()->io, [this] {
      ErrorCode ignored;
      acceptor_->close(ignored);
      retry_->cancel();
    });
    for_each_connection([](Connection& connection) { connection.finish_soon(); });
    int cut_off = wait_until_closed(grace);
    if (cut_off > 0) {
      for_each_connection([](Connection& connection) { connection.cut_off(); });
      wait_until_closed(kCutOffTime);
    }
    for (const auto& loop : core_.loops) {
      loop->work.reset();
      loop->io.stop();
      if (loop->thread.joinable()) loop->thread.join();
    }
    core_.handlers.stop();  // what has not begun never will; what runs is waited for by the destructor
    core_.files.stop();
    return cut_off;
  }

 private:
  /// On each loop's own thread; marks the loop as stopping first.
  template <class Action>
  void for_each_connection(Action action) {
    for (const auto& loop : core_.loops) {
      asio::post(loop->io, [&loop = *loop, action] {
        loop.stopping = true;
        // A copy, since a connection that closes leaves the table.
        const auto connections = loop.connections;
        for (const auto& [key, connection] : connections) action(*connection);
      });
    }
  }

  /// How many are still open after at most `limit`.
  int wait_until_closed(std::chrono::milliseconds limit) {
    std::unique_lock lock(core_.mutex);
    core_.closed.wait_for(lock, limit, [this] { return core_.open == 0; });
    return core_.open;
  }

  void accept_next() {
    Loop& loop = *core_.loops[next_loop_++ % core_.loops.size()];
    acceptor_->async_accept(loop.io, [this, &loop](ErrorCode ec, Connection::Socket socket) {
      if (!acceptor_->is_open()) return;
      if (ec) return retry_accept();
      admit(loop, std::move(socket));
      accept_next();
    });
  }

  /// Out of descriptors or memory: they come back when connections close, so trying again at once would only spin.
  void retry_accept() {
    retry_->expires_after(std::chrono::milliseconds(50));
    retry_->async_wait([this](ErrorCode ec) {
      if (!ec && acceptor_->is_open()) accept_next();
    });
  }

  void admit(Loop& loop, Connection::Socket socket) {
    int open = 0;
    {
      const std::lock_guard lock(core_.mutex);
      if (core_.open >= core_.options.max_connections + kRefusedAtOnce) return;  // the socket's destructor closes it
      open = ++core_.open;
    }
    auto connection = std::make_shared<Connection>(core_, loop, std::move(socket));
    asio::post(loop.io, [connection = std::move(connection), refused = open > core_.options.max_connections] {
      refused ? connection->start_refused() : connection->start();
    });
  }

  /// Deadlines are looked at some times within the shortest of them: cheaper than a timer for each connection, since
  /// nearly all deadlines are moved long before they pass.
  void tick(Loop& loop) {
    const auto& options = core_.options;
    const auto shortest = std::min({options.request_timeout, options.idle_timeout, options.write_timeout});
    loop.tick.expires_after(std::clamp(shortest / 8, std::chrono::milliseconds(5), std::chrono::milliseconds(500)));
    loop.tick.async_wait([this, &loop](ErrorCode ec) {
      if (ec) return;
      const auto now = std::chrono::steady_clock::now();
      for (const auto& [key, connection] : loop.connections) connection->check_deadline(now);
      tick(loop);
    });
  }

  ServerCore core_;
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::steady_timer> retry_;
  tcp::endpoint endpoint_;
  std::size_t next_loop_ = 0;
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

Result<std::unique_ptr<Server>> Server::make(ServerOptions options, RequestHandler handler, ExchangeObserver observer) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler), std::move(observer));
  CHECK_OK(impl->listen());
  impl->run();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

std::uint16_t Server::port() const {
  return impl_->endpoint().port();
}

std::string Server::endpoint() const {
  return endpoint_text(impl_->endpoint());
}

int Server::connections() const {
  return impl_->open_connections();
}

int Server::stop(std::chrono::milliseconds grace) {
  return impl_->stop(grace);
}

}  // namespace longshore
