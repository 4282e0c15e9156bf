#include "client/retry.h"

#include <algorithm>
#include <charconv>

#include "client/problem.h"

namespace longshore {

std::optional<std::chrono::seconds> retry_after(const HttpResponse& response) {
  const std::string& text = response.header("retry-after");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

Result<HttpResponse> Retrier::exchange(const HttpRequest& request, std::stop_token stop) {
  Duration backoff = policy_.first_wait;
  for (int attempt = 1;; ++attempt) {
    auto response = transport_.exchange(request, nullptr, stop);
    if (response && response->status < 400) return response;

    const auto asked = response ? retry_after(*response) : std::nullopt;
    Error error = response ? error_of_response(*response) : std::move(response).error();
    if (!error.retriable || attempt >= policy_.attempts) return fail(std::move(error));
    const Duration wait =
        std::min(std::max<Duration>(backoff, asked.value_or(std::chrono::seconds(0))), policy_.longest_wait);
    backoff = std::min(backoff * 2, policy_.longest_wait);
    if (observer_) observer_(error, wait);
    if (!clock_.sleep_for(wait, stop)) return fail(user_error("stopped", "interrupted"));
  }
}

}  // namespace longshore
