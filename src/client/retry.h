#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "base/clock.h"
#include "base/result.h"
#include "client/http_transport.h"

namespace longshore {

/// How often and how long a call is tried again.
struct RetryPolicy {
  int attempts = 6;                                     ///< all together
  Duration first_wait{std::chrono::milliseconds{250}};  ///< doubled from wait to wait
  Duration longest_wait{std::chrono::seconds{10}};      ///< also of what a server asks for with Retry-After
};

/// Told before each wait: why, and for how long.
using WaitObserver = std::function<void(const Error& why, Duration wait)>;

/// Runs exchanges until one is neither a retriable failure nor a retriable status (see error_of_response()). The call
/// must be safe to repeat. An answer of status 400 or more comes back as its error.
class Retrier {
 public:
  Retrier(HttpTransport& transport, Clock& clock, RetryPolicy policy)
      : transport_(transport), clock_(clock), policy_(policy) {}
  void set_policy(RetryPolicy policy) { policy_ = policy; }
  void observe(WaitObserver observer) { observer_ = std::move(observer); }
  Result<HttpResponse> exchange(const HttpRequest& request, std::stop_token stop);

 private:
  HttpTransport& transport_;
  Clock& clock_;
  RetryPolicy policy_;
  WaitObserver observer_;
};

/// Seconds of a Retry-After header (RFC 9110, 10.2.3); nullopt when there is none or it is a date.
std::optional<std::chrono::seconds> retry_after(const HttpResponse& response);

}  // namespace longshore
