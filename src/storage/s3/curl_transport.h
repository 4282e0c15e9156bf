#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "s3/http.h"

namespace longshore::s3 {

struct CurlOptions {
  std::string ca_file;  ///< PEM; trusted instead of the system's authorities
  /// E.g. http://proxy:3128, for all but this machine and the addresses of metadata services; empty: none, whatever the
  /// environment says.
  std::string proxy;
  std::stop_token stop;   ///< ends exchanges under way within about a second (`http_cancelled`)
  std::size_t idle = 32;  ///< connections kept open for the next exchange
};

/// HTTP/1.1 by libcurl. Each thread takes a handle from a pool, the one used last first, so that connections are used
/// again while they are warm. TLS 1.2 at least.
class CurlTransport final : public HttpTransport {
 public:
  static std::unique_ptr<CurlTransport> make(CurlOptions options);
  ~CurlTransport() override;
  Result<HttpResponse> exchange(const HttpRequest& request) override;

 private:
  struct Pool;
  CurlTransport(CurlOptions options, std::unique_ptr<Pool> pool);

  CurlOptions options_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace longshore::s3
