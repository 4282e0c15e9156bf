#pragma once

// Private to server.cpp and connection.cpp.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "http/server_core.h"

namespace longshore {

/// One client's connection: reads a request, has it answered, writes the response, and begins again.
///
/// A state machine of callbacks rather than a stackful coroutine: ThreadSanitizer cannot follow the stack switches of
/// Boost.Context, and an idle connection costs a kilobyte instead of a stack. Every function runs on the loop's thread
/// unless it says otherwise. Exactly one operation is under way at any time: a read, a write, a wait, or a job on a
/// pool.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Executor = boost::asio::io_context::executor_type;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

  /// What one turn of sending a file came to.
  struct FilePiece {
    std::int64_t sent = 0;
    int error = 0;                 ///< errno; EAGAIN when the client must read first
    std::optional<Error> failure;  ///< of the store
  };

  Connection(ServerCore& core, Loop& loop, Socket socket);

  /// Registers with the loop and waits for the first request.
  void start();
  /// Registers, answers 503 without reading anything, and closes.
  void start_refused();
  /// Ends whatever has passed its deadline.
  void check_deadline(std::chrono::steady_clock::time_point now);
  /// Closes if no request has begun; else the one under way is the last.
  void finish_soon();
  /// Cuts off what is under way.
  void cut_off();

 private:
  using ErrorCode = boost::system::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void wait_for_request();
  void read_header();
  void on_header(ErrorCode ec);
  void read_body();
  void on_body(ErrorCode ec);
  void send_continue();
  void refuse_read(ErrorCode ec);
  void refuse(int status, const Error& error);
  std::optional<Error> objection(int& status) const;
  bool reserve_body();
  void dispatch();
  void take_request_id();

  void respond(Response response);
  void write_next();
  void send_file();
  void on_file_piece(const FilePiece& piece);
  void wait_writable();
  void response_done(bool complete);
  void drain_then_close();
  void drain_next();
  void close();

  void set_deadline(std::chrono::milliseconds from_now);
  void clear_deadline();

  ServerCore& core_;
  Loop& loop_;
  Socket socket_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;

  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point started_{};
  bool timed_out_ = false;
  bool idle_ = false;          ///< no byte of a request has come since the last response
  bool keep_alive_ = false;    ///< after the response under way
  bool unread_input_ = false;  ///< refused before the request was read whole
  bool cut_off_ = false;
  bool closed_ = false;

  Request request_;
  std::int64_t reserved_body_ = 0;
  Response response_;
  std::string head_;
  std::size_t written_ = 0;  ///< of head_ and response_.body
  std::int64_t file_sent_ = 0;
  std::int64_t file_sent_at_deadline_ = 0;
  std::int64_t drained_ = 0;
};

}  // namespace longshore
