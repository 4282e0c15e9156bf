#include "http/health_routes.h"

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace longshore {

namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kKept{1};

/// Asks the probes at most once a second.
class Readiness {
 public:
  Readiness(const Clock& clock, std::vector<Probe> probes) : clock_(clock), probes_(std::move(probes)) {}

  Response answer() {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady_now();
    if (!asked_at_ || now - *asked_at_ >= kKept) {
      last_ = ask();
      // From the end of the asking: a slow dependency must not be asked without a pause.
      asked_at_ = clock_.steady_now();
    }
    return last_;
  }

 private:
  Response ask() const {
    json::object checks;
    json::object problems;
    json::object remarks;
    for (const Probe& probe : probes_) {
      const Status status = probe.check();
      const bool unknown = !status && status.error().code == probe.unknown_code;
      checks[probe.name] = status ? "ok" : unknown ? "unknown" : status.error().code;
      if (unknown) remarks[probe.name] = status.error().message;
      if (status || unknown) continue;
      problems[probe.name] = status.error().message;
      log_warn("not ready",
               {{"dependency", probe.name}, {"error_code", status.error().code}, {"error", status.error().message}});
    }
    const bool ready = problems.empty();
    json::object body{{"status", ready ? "ready" : "not ready"}, {"checks", std::move(checks)}};
    if (!ready) body["problems"] = std::move(problems);
    if (!remarks.empty()) body["remarks"] = std::move(remarks);
    Response response = json_response(ready ? 200 : 503, json::serialize(body));
    if (!ready) response.set_header("Retry-After", "5");
    return response;
  }

  const Clock& clock_;
  const std::vector<Probe> probes_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> asked_at_;
  Response last_;
};

}  // namespace

void append_health_routes(Router& router, const Clock& clock, std::vector<Probe> probes,
                          std::function<std::string()> metrics) {
  router.add("GET", "/healthz", [](const Request&) { return json_response(200, R"({"status":"ok"})"); });
  auto readiness = std::make_shared<Readiness>(clock, std::move(probes));
  router.add("GET", "/readyz", [readiness](const Request&) { return readiness->answer(); });
  router.add("GET", "/metrics", [metrics = std::move(metrics)](const Request&) {
    Response response;
    response.body = metrics();
    response.set_header("Content-Type", std::string(kMetricsContentType));
    return response;
  });
}

}  // namespace longshore
