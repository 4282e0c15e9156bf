#include "http/access_log.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "telemetry/log.h"

namespace longshore {

namespace {

/// Methods come from clients; a label may only take what comes from a fixed set.
std::string_view known_method(std::string_view method) {
  static constexpr std::array<std::string_view, 7> kKnown{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  const auto found = std::ranges::find(kKnown, method);
  return found == kKnown.end() ? "other" : *found;
}

LogLevel level_of(const Exchange& exchange) {
  if (exchange.status == 500) return LogLevel::error;
  if (exchange.status > 500) return LogLevel::warn;
  // A file that ended in the middle of its way out.
  if (!exchange.complete && !exchange.note.error_code.empty()) return LogLevel::warn;
  const std::string_view route = exchange.note.route;
  const bool watching = route == "/healthz" || route == "/readyz" || route == "/metrics";
  return watching && exchange.status < 400 ? LogLevel::debug : LogLevel::info;
}

}  // namespace

ExchangeObserver make_access_log(Metrics& metrics) {
  return [&metrics](const Exchange& exchange) {
    const std::string_view route = exchange.note.route.empty() ? std::string_view("none") : exchange.note.route;
    const std::string_view method = known_method(exchange.method);
    metrics.http_request(route, method, exchange.status, exchange.duration);
    const LogLevel level = level_of(exchange);
    if (!log_enabled(level)) return;
    log(level, "request",
        {{"method", method},
         {"route", route},
         {"status", exchange.status},
         {"duration_ms", static_cast<double>(exchange.duration.count()) / 1000.0},
         {"bytes", exchange.bytes_sent},
         {"complete", exchange.complete},
         {"request_id", exchange.request_id},
         {"client_ip", exchange.client_ip},
         {"tenant", exchange.note.tenant},
         {"user", exchange.note.user},
         {"error_code", exchange.note.error_code},
         {"error", exchange.note.error_detail}});
  };
}

}  // namespace longshore
