#include "client/tests/stub_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

namespace longshore {
namespace {

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Reads a request with a Content-Length body. False when the client went away.
bool read_request(int connection, StubRequest& request) {
  std::string text;
  std::array<char, 4096> chunk{};
  std::size_t head_end = std::string::npos;
  std::size_t body_length = 0;
  while (head_end == std::string::npos || text.size() < head_end + 4 + body_length) {
    const ssize_t got = ::recv(connection, chunk.data(), chunk.size(), 0);
    if (got <= 0) return false;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (head_end != std::string::npos) continue;
    head_end = text.find("\r\n\r\n");
    if (head_end == std::string::npos) continue;
    std::size_t at = text.find("\r\n") + 2;
    const std::string first = text.substr(0, at - 2);
    request.method = first.substr(0, first.find(' '));
    request.target = first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
    while (at < head_end + 2) {
      const std::size_t end = text.find("\r\n", at);
      const std::string line = text.substr(at, end - at);
      const std::size_t colon = line.find(':');
      request.headers[lowered(line.substr(0, colon))] = line.substr(std::min(line.size(), colon + 2));
      at = end + 2;
    }
    if (request.headers.contains("content-length")) body_length = std::stoul(request.headers["content-length"]);
  }
  request.body = text.substr(head_end + 4);
  return true;
}

}  // namespace

StubServer::StubServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("stub server cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

StubServer::~StubServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
  thread_.join();
  ::close(listener_);
}

std::string StubServer::url() const {
  return fmt::format("http://127.0.0.1:{}", port_);
}

std::vector<StubRequest> StubServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void StubServer::serve() {
  while (!stopping_) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    answer(connection);
    ::close(connection);
  }
}

void StubServer::answer(int connection) {
  StubRequest request;
  if (!read_request(connection, request)) return;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  const StubReply reply = handler_(request);
  std::string text =
      fmt::format("HTTP/1.1 {} Stub\r\nConnection: close\r\nContent-Length: {}\r\n", reply.status, reply.body.size());
  for (const auto& [name, value] : reply.headers) text += fmt::format("{}: {}\r\n", name, value);
  text += "\r\n" + reply.body.substr(0, reply.break_after);
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t sent = ::send(connection, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace longshore
