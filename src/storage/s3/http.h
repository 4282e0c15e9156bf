#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "base/result.h"
#include "s3/signature.h"

namespace longshore::s3 {

struct HttpTimeouts {
  Duration connect = std::chrono::seconds{5};
  Duration stall = std::chrono::seconds{20};  ///< not a byte in either direction for so long
  Duration total = std::chrono::seconds{60};  ///< the whole exchange
};

struct HttpRequest {
  std::string method;
  std::string url;  ///< sent byte for byte as it stands here
  Headers headers;
  std::string_view body;  ///< sent with PUT and POST only; must live as long as the exchange
  HttpTimeouts timeouts;
  /// Where the body of a 2xx answer is appended; without one, and for every other status, it goes to
  /// HttpResponse::body. What has been appended before an exchange breaks stays there.
  ByteBuffer* sink = nullptr;
  std::size_t max_sink = 0;                     ///< bound of what is appended to the sink
  std::size_t max_body = std::size_t{8} << 20;  ///< bound of HttpResponse::body; a page of 1,000 keys is under 1 MiB
};

struct HttpResponse {
  int status = 0;
  Headers headers;  ///< names in lower case
  std::string body;

  /// The value of the first header of that (lower-case) name; empty if there is none.
  std::string_view header(std::string_view name) const;
};

/// One HTTP exchange; any status is a success here. Redirects are never followed. Thread-safe.
///
/// Errors, external: `http_unresolved`, `http_unreachable`, `http_tls`, `http_timeout`, `http_broken`,
/// `http_too_large`, `http_cancelled`. `retriable` says whether trying again at once may help: not with certificates
/// that are wrong, bodies that are too large, or when cancelled. Messages name host and cause, never a query or header.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  virtual Result<HttpResponse> exchange(const HttpRequest& request) = 0;
};

}  // namespace longshore::s3
