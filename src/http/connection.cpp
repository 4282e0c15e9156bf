#include "http/connection.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <csignal>
#include <exception>
#include <utility>

#include "http/problem.h"
#include "http/response_head.h"
#include "http/target.h"
#include "storage/local/readable_object.h"
#include "storage/range.h"

namespace longshore {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kPiece = 256 << 10;      // written under one deadline
constexpr std::int64_t kFileTurn = 1 << 20;    // sent for one connection before another has its turn
constexpr std::size_t kKeptBuffer = 4 << 10;   // of input buffer that an idle connection keeps
constexpr std::int64_t kMaxDrained = 4 << 20;  // thrown away after a refusal, so that the client reads the answer
constexpr std::chrono::milliseconds kDrainTime{2000};

/// Sends from the page cache until the socket is full, `length` is sent, or it fails; errno of that, and what was sent
/// before is added to `sent`.
int send_run(int socket, int file, std::int64_t offset, std::int64_t length, std::int64_t& sent) {
  while (length > 0) {
    off_t at = offset;
    const ssize_t n = ::sendfile(socket, file, &at, static_cast<std::size_t>(length));
    if (n == 0) return EIO;  // shorter than it was when the response began
    if (n < 0 && errno != EINTR) return errno;
    if (n < 0) continue;
    offset += n;
    length -= n;
    sent += n;
  }
  return 0;
}

Connection::FilePiece send_piece(int socket, const ReadableObject& object, std::int64_t offset, std::int64_t length) {
  // A client that goes away is an error code here, not a signal; sendfile() has no MSG_NOSIGNAL. The thread is the
  // pool's own, so the mask may stay.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  Connection::FilePiece piece;
  while (piece.sent < length && piece.error == 0) {
    const auto run = object.run_at(offset + piece.sent);
    if (!run) {
      piece.error = EIO;
      piece.failure = run.error();
      break;
    }
    const std::int64_t wanted = std::min(run->length, length - piece.sent);
    piece.error = send_run(socket, run->file->get(), run->offset, wanted, piece.sent);
  }
  return piece;
}

bool is_http_error(const boost::system::error_code& ec) {
  return ec.category() == http::make_error_code(http::error::bad_target).category();
}

}  // namespace

Connection::Connection(ServerCore& core, Loop& loop, Socket socket)
    : core_(core), loop_(loop), socket_(std::move(socket)), buffer_(core.options.max_header_bytes + (64 << 10)) {
  boost::system::error_code ec;
  const auto peer = socket_.remote_endpoint(ec);
  if (!ec) request_.client_ip = peer.address().to_string();
}

void Connection::start() {
  loop_.connections.emplace(this, shared_from_this());
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  if (loop_.stopping) return close();
  wait_for_request();
}

void Connection::start_refused() {
  loop_.connections.emplace(this, shared_from_this());
  started_ = std::chrono::steady_clock::now();
  request_.request_id = make_request_id();
  refuse(503, user_error("too_many_connections", "The server has as many connections as it may. Try again soon."));
}

// --- reading -----------------------------------------------------------------------------------------------------

void Connection::wait_for_request() {
  if (buffer_.size() > 0) return read_header();  // pipelined
  if (loop_.stopping) return close();
  if (buffer_.capacity() > kKeptBuffer) buffer_.shrink_to_fit();
  idle_ = true;
  set_deadline(core_.options.idle_timeout);
  socket_.async_read_some(buffer_.prepare(2048), [self = shared_from_this()](ErrorCode ec, std::size_t n) {
    self->idle_ = false;
    if (ec) return self->close();
    self->buffer_.commit(n);
    self->read_header();
  });
}

void Connection::read_header() {
  started_ = std::chrono::steady_clock::now();
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(core_.options.max_header_bytes));
  parser_->body_limit(core_.options.max_body_bytes);
  request_ = Request{.method = {},
                     .path = {},
                     .segments = {},
                     .query = {},
                     .headers = {},
                     .body = {},
                     .client_ip = std::move(request_.client_ip),
                     .request_id = {},
                     .parameters = {}};
  set_deadline(core_.options.request_timeout);
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = shared_from_this()](ErrorCode ec, std::size_t) { self->on_header(ec); });
}

void Connection::on_header(ErrorCode ec) {
  if (ec == http::error::end_of_stream) return close();
  take_request_id();
  if (ec) return refuse_read(ec);
  int status = 400;
  if (std::optional<Error> error = objection(status)) return refuse(status, *error);
  if (parser_->is_done()) return on_body({});
  if (!reserve_body()) {
    return refuse(503, user_error("server_busy", "Too many request bodies are on their way. Try again soon."));
  }
  if (parser_->get().count(http::field::expect) > 0) return send_continue();
  read_body();
}

/// What is wrong with a header section that could be parsed.
std::optional<Error> Connection::objection(int& status) const {
  const auto& message = parser_->get();
  if (message.version() >= 11 && message.count(http::field::host) != 1) {
    return user_error("malformed_request", "HTTP/1.1 needs exactly one Host header (RFC 9112 section 3.2).");
  }
  const auto coding = message[http::field::transfer_encoding];
  if (!coding.empty() && !boost::beast::iequals(coding, "chunked")) {
    status = 501;
    return user_error("not_implemented", "The only transfer coding that this server reads is chunked.");
  }
  const auto expect = message[http::field::expect];
  if (!expect.empty() && !boost::beast::iequals(expect, "100-continue")) {
    status = 417;
    return user_error("expectation_failed", "The only expectation that this server meets is 100-continue.");
  }
  return std::nullopt;
}

/// Whether there is room for the body that was announced.
bool Connection::reserve_body() {
  const auto announced = parser_->content_length();
  const auto wanted = static_cast<std::int64_t>(announced ? *announced : core_.options.max_body_bytes);
  const auto limit = static_cast<std::int64_t>(core_.options.max_body_bytes_in_flight);
  if (core_.body_bytes.fetch_add(wanted) + wanted > limit) {
    core_.body_bytes -= wanted;
    return false;
  }
  reserved_body_ = wanted;
  return true;
}

void Connection::send_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(socket_, asio::buffer(kContinue), [self = shared_from_this()](ErrorCode ec, std::size_t) {
    if (ec) return self->close();
    self->read_body();
  });
}

void Connection::read_body() {
  http::async_read(socket_, buffer_, *parser_,
                   [self = shared_from_this()](ErrorCode ec, std::size_t) { self->on_body(ec); });
}

void Connection::on_body(ErrorCode ec) {
  if (ec) return refuse_read(ec);
  clear_deadline();
  auto& message = parser_->get();
  keep_alive_ = message.keep_alive();
  request_.method = std::string(message.method_string());
  for (const auto& field : message) {
    request_.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  request_.body = std::move(message.body());
  Result<Target> target = parse_target(message.target());
  if (!target) return respond(problem_response(target.error(), request_));
  request_.path = std::move(target->path);
  request_.segments = std::move(target->segments);
  request_.query = std::move(target->query);
  dispatch();
}

void Connection::take_request_id() {
  const auto given = parser_->get()["X-Request-Id"];
  request_.request_id = is_sane_request_id(given) ? std::string(given) : make_request_id();
}

void Connection::dispatch() {
  asio::post(core_.handlers, [self = shared_from_this()]() mutable {
    // On the handler pool; the loop does not touch request_ until the answer is posted back.
    Response response;
    try {
      response = self->core_.handler(self->request_);
    } catch (const std::exception& e) {
      response = problem_response(internal_error("internal_error", std::string("uncaught exception: ") + e.what()),
                                  self->request_);
    }
    auto& io = self->loop_.io;
    asio::post(
        io, [self = std::move(self), response = std::move(response)]() mutable { self->respond(std::move(response)); });
  });
}

void Connection::refuse_read(ErrorCode ec) {
  if (timed_out_) {
    return refuse(408, user_error("request_timeout", "The request did not arrive whole in time."));
  }
  if (ec == http::error::body_limit) {
    return refuse(413, user_error("body_too_large", "The body is larger than " +
                                                        std::to_string(core_.options.max_body_bytes) + " bytes."));
  }
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
    return refuse(431, user_error("headers_too_large", "The header section is larger than " +
                                                           std::to_string(core_.options.max_header_bytes) + " bytes."));
  }
  if (ec == http::error::bad_version) {
    return refuse(505, user_error("http_version_not_supported", "This server speaks HTTP/1.1 and HTTP/1.0."));
  }
  if (is_http_error(ec)) {
    return refuse(400, user_error("malformed_request", "This is not well-formed HTTP: " + ec.message() + "."));
  }
  close();  // the client went away
}

/// Answers a request that was not read whole; what follows it on the connection cannot be understood.
void Connection::refuse(int status, const Error& error) {
  unread_input_ = true;
  keep_alive_ = false;
  if (parser_) {
    request_.method = std::string(parser_->get().method_string());
    // The answer names what was asked for when that much is known.
    if (Result<Target> target = parse_target(parser_->get().target())) request_.path = std::move(target->path);
  }
  respond(problem_response(status, error, request_));
}

// --- writing -----------------------------------------------------------------------------------------------------

void Connection::respond(Response response) {
  if (closed_) return;
  if (cut_off_) return close();
  response_ = std::move(response);
  if (loop_.stopping) keep_alive_ = false;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (now != loop_.date_second) {
    loop_.date_second = now;
    loop_.date = format_http_date(now);
  }
  head_ = format_head(response_, {.date = loop_.date,
                                  .request_id = request_.request_id,
                                  .keep_alive = keep_alive_,
                                  .http_1_0 = parser_ && parser_->get().version() == 10});
  if (request_.method == "HEAD" || response_.status == 204 || response_.status == 304) {
    response_.body.clear();
    response_.file.reset();
  }
  written_ = 0;
  file_sent_ = file_sent_at_deadline_ = 0;
  write_next();
}

void Connection::write_next() {
  const std::size_t total = head_.size() + response_.body.size();
  if (written_ == total) {
    if (!response_.file) return response_done(true);
    set_deadline(core_.options.write_timeout);
    return send_file();
  }
  std::array<asio::const_buffer, 2> run{};
  if (written_ < head_.size()) {
    run[0] = asio::buffer(head_) + written_;
    run[1] = asio::buffer(response_.body, kPiece);
  } else {
    run[0] = asio::buffer(asio::buffer(response_.body) + (written_ - head_.size()), kPiece);
  }
  set_deadline(core_.options.write_timeout);
  asio::async_write(socket_, run, [self = shared_from_this()](ErrorCode ec, std::size_t n) {
    self->written_ += n;
    if (ec) return self->response_done(false);
    self->write_next();
  });
}

void Connection::send_file() {
  const FileRange& range = *response_.file;
  const std::int64_t left = range.length - file_sent_;
  if (left == 0) return response_done(true);
  // The descriptor stays valid meanwhile: the socket is closed by close() alone, which never runs while a job does.
  // So does the object: it is the response's.
  asio::post(core_.files, [self = shared_from_this(), socket = socket_.native_handle(), object = range.object.get(),
                           offset = range.offset + file_sent_, length = std::min(left, kFileTurn)]() mutable {
    FilePiece piece = send_piece(socket, *object, offset, length);
    auto& io = self->loop_.io;
    asio::post(io, [self = std::move(self), piece = std::move(piece)] { self->on_file_piece(piece); });
  });
}

void Connection::on_file_piece(const FilePiece& piece) {
  file_sent_ += piece.sent;
  if (piece.failure) {
    // The head has gone out already: all that can be said to the client is that the body ends too early.
    response_.note.error_code = piece.failure->code;
    response_.note.error_detail = piece.failure->message;
  }
  if (cut_off_ || timed_out_) return response_done(false);
  // A reader has to take a piece in the time of one write, not just a byte.
  if (file_sent_ - file_sent_at_deadline_ >= static_cast<std::int64_t>(kPiece)) {
    set_deadline(core_.options.write_timeout);
    file_sent_at_deadline_ = file_sent_;
  }
  if (piece.error == EAGAIN || piece.error == EWOULDBLOCK) return wait_writable();
  if (piece.error != 0) return response_done(false);
  send_file();
}

void Connection::wait_writable() {
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](ErrorCode ec) {
    if (ec) return self->response_done(false);
    self->send_file();
  });
}

void Connection::response_done(bool complete) {
  clear_deadline();
  core_.body_bytes -= std::exchange(reserved_body_, 0);
  if (core_.observer) {
    const auto took = std::chrono::steady_clock::now() - started_;
    core_.observer(Exchange{.method = std::move(request_.method),
                            .client_ip = request_.client_ip,
                            .request_id = std::move(request_.request_id),
                            .note = std::move(response_.note),
                            .status = response_.status,
                            .bytes_sent = static_cast<std::int64_t>(written_) + file_sent_,
                            .duration = std::chrono::duration_cast<std::chrono::microseconds>(took),
                            .complete = complete});
  }
  response_ = {};
  request_.body = {};
  if (!complete) return close();
  if (unread_input_) return drain_then_close();
  if (!keep_alive_ || loop_.stopping) return close();
  wait_for_request();
}

/// Throws away some of what the client still sends: closing a socket with unread input resets it, and the client would
/// lose the answer (RFC 9112 section 9.6).
void Connection::drain_then_close() {
  ErrorCode ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  buffer_.clear();
  set_deadline(kDrainTime);
  drain_next();
}

void Connection::drain_next() {
  if (drained_ >= kMaxDrained || timed_out_ || cut_off_) return close();
  socket_.async_read_some(buffer_.prepare(16 << 10), [self = shared_from_this()](ErrorCode ec, std::size_t n) {
    if (ec) return self->close();
    self->drained_ += static_cast<std::int64_t>(n);
    self->drain_next();
  });
}

void Connection::close() {
  if (std::exchange(closed_, true)) return;
  clear_deadline();
  core_.body_bytes -= std::exchange(reserved_body_, 0);
  ErrorCode ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
  {
    const std::lock_guard lock(core_.mutex);
    --core_.open;
    // Under the lock: once it is released, stop() may go on to destroy the condition variable.
    core_.closed.notify_all();
  }
  loop_.connections.erase(this);
}

// --- time and the end --------------------------------------------------------------------------------------------

void Connection::set_deadline(std::chrono::milliseconds from_now) {
  timed_out_ = false;
  deadline_ = std::chrono::steady_clock::now() + from_now;
}

void Connection::clear_deadline() {
  deadline_ = std::chrono::steady_clock::time_point::max();
}

void Connection::check_deadline(std::chrono::steady_clock::time_point now) {
  if (now < deadline_) return;
  clear_deadline();
  timed_out_ = true;
  ErrorCode ignored;
  socket_.cancel(ignored);  // the operation under way ends with an error and sees timed_out_
}

void Connection::finish_soon() {
  keep_alive_ = false;
  if (!idle_) return;
  ErrorCode ignored;
  socket_.cancel(ignored);
}

void Connection::cut_off() {
  cut_off_ = true;
  ErrorCode ignored;
  // Not close(): a job on the file pool may be using the descriptor.
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.cancel(ignored);
}

}  // namespace longshore
