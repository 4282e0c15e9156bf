#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/message.h"

namespace longshore {

/// Bounds of the HTTP edge. What a client can make the server hold is bounded by bytes and by time everywhere.
struct ServerOptions {
  std::string address = "127.0.0.1";  ///< an IPv4 or IPv6 address of this machine, or `localhost`
  std::uint16_t port = 8080;          ///< 0: any free one, see Server::port()
  int io_threads = 1;                 ///< they never block; one is enough for some ten thousand requests a second
  int handler_threads = 8;            ///< requests that may wait for a database at once
  int max_connections = 512;          ///< one more is answered 503 and closed
  std::size_t max_header_bytes = 16 << 10;
  std::size_t max_body_bytes = 1 << 20;
  std::size_t max_body_bytes_in_flight = 32 << 20;    ///< over all connections; beyond it requests with a body get 503
  std::chrono::milliseconds request_timeout{30'000};  ///< from a request's first byte to its last: 408 and close
  std::chrono::milliseconds idle_timeout{60'000};     ///< between requests: close
  std::chrono::milliseconds write_timeout{30'000};    ///< for each 256 KiB of a response: close
};

/// A request that is over, for the access log and the metrics.
struct Exchange {
  std::string method;  ///< empty when not even that could be read
  std::string client_ip;
  std::string request_id;
  ResponseNote note;
  int status = 0;
  std::int64_t bytes_sent = 0;           ///< head and body
  std::chrono::microseconds duration{};  ///< from the request's first byte to the response's last
  bool complete = true;                  ///< false: the client went away, or was too slow, before the last byte
};

/// Answers a request. Called on the handler pool, on many threads at once; may block. An exception becomes a 500.
using RequestHandler = std::function<Response(Request&)>;
/// Told of every exchange, on an I/O thread: must be quick and must not throw.
using ExchangeObserver = std::function<void(const Exchange&)>;

/// An HTTP/1.1 server (RFC 9110, RFC 9112): keep-alive, pipelining, chunked bodies, `Expect: 100-continue`. No TLS: a
/// reverse proxy does it.
///
/// Life cycle: make() listens and serves; stop() ends it; the destructor stops without grace. Sockets are driven by
/// asynchronous callbacks on the I/O threads, handlers run on a pool of their own, file bodies go out by sendfile() on
/// two more threads, so that neither a slow database nor a slow disk nor a slow reader holds up anybody else.
class Server {
 public:
  /// Errors: `listen_failed` (user): says which address and why, e.g. `address already in use: 127.0.0.1:8080`.
  static Result<std::unique_ptr<Server>> make(ServerOptions options, RequestHandler handler, ExchangeObserver observer);
  /// Stops at once. Waits for handlers that run (they refer to the caller's objects); they are bounded by their own
  /// timeouts.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  /// `127.0.0.1:8080`, `[::1]:8080`.
  std::string endpoint() const;
  /// Connections that are open now.
  int connections() const;

  /// Stops accepting, closes idle connections, lets requests that have begun finish for up to `grace`, then cuts the
  /// rest off. Returns how many were cut off; after at most `grace` and half a second, whatever handlers do.
  /// Thread-safe; calling again is harmless.
  int stop(std::chrono::milliseconds grace);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace longshore
