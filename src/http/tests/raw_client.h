#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace longshore::test {

struct RawResponse {
  int status = 0;
  std::string head;                            ///< status line and header section
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  std::string header(const std::string& lower_name) const;
};

/// A client that sends exactly the bytes it is told to, malformed ones too. Every wait is bounded by 10 s.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return fd_ >= 0; }
  /// False when the server has closed.
  bool send(std::string_view bytes);
  void shut_down_sending();
  /// Reads one response; nullopt when the connection ends before its head is whole. With `head_only`, no body follows.
  std::optional<RawResponse> read(bool head_only = false);
  /// Reads up to `n` bytes of whatever comes; 0 at the end, -1 when it fails (a reset, a timeout).
  long read_some(char* into, std::size_t n);
  /// Whether the server closes the connection, without sending anything more.
  bool closes();

  /// One request on a connection of its own.
  static std::optional<RawResponse> ask(std::uint16_t port, std::string_view request, bool head_only = false);

 private:
  int fd_ = -1;
  std::string buffer_;
};

/// `GET /path HTTP/1.1` with Host and these header lines (each ended by CRLF).
std::string get_request(std::string_view path, std::string_view headers = {});
std::string request_text(std::string_view method, std::string_view path, std::string_view headers = {},
                         std::string_view body = {});

}  // namespace longshore::test
