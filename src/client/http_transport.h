#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace longshore {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case; of repeated ones, the last
  std::string body;                            ///< empty when a BodySink took it

  /// The header's value, or an empty text. `name` in lower case.
  const std::string& header(const std::string& name) const;
};

/// Takes the body as it comes. `head` has status and headers. An error ends the exchange and is its result.
using BodySink = std::function<Status(const HttpResponse& head, std::string_view bytes)>;

/// One exchange at a time over HTTP or HTTPS. Never follows redirects. Not thread-safe.
///
/// Errors: `bad_url` (user), `server_unreachable`, `transfer_broken`, `transfer_stalled` (external, retriable),
/// `tls_failed` (external, final), `response_too_large` (external, final), `stopped` (user) when `stop` was requested.
/// Any status is a success here.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// With a `sink`, the body of a 2xx answer goes there; every other body is kept, up to 64 MiB.
  virtual Result<HttpResponse> exchange(const HttpRequest& request, const BodySink* sink, std::stop_token stop) = 0;
};

struct TransportOptions {
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds stall_timeout{30};  ///< less than a byte a second for so long is broken
  std::string user_agent = "longshore";
};

/// libcurl, keeping connections alive between exchanges.
class CurlTransport final : public HttpTransport {
 public:
  /// Errors: `curl_unavailable` (internal).
  static Result<std::unique_ptr<CurlTransport>> make(TransportOptions options);
  ~CurlTransport() override;
  Result<HttpResponse> exchange(const HttpRequest& request, const BodySink* sink, std::stop_token stop) override;

 private:
  struct Handle;
  CurlTransport(TransportOptions options, std::unique_ptr<Handle> handle);
  TransportOptions options_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace longshore
