#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace longshore {

/// How many exports are in a state now.
struct ActiveExports {
  std::string state;  ///< lower case: `queued`, `running`
  std::int64_t count = 0;
};

/// How a source that exports read from fares now.
struct SourceReading {
  struct Server {
    std::string name;
    bool up = true;
    std::optional<double> lag_seconds;
  };
  std::string source;
  std::vector<Server> servers;  ///< those that are polled now
  int paused_scans = 0;
  double paused_seconds = 0;  ///< in all, since the process began
};

/// All that the process measures, as Prometheus metrics named `longshore_…` in base units (seconds, bytes).
///
/// Made once in app/ and passed by reference. Thread-safe. Costs a lock and a look-up a call: meant for batches, parts
/// and requests, not for rows. Labels take only what comes from a fixed or configured set (formats, sources, route
/// templates), never a tenant, user or job.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // --- exports
  void export_created(std::string_view format);
  /// `outcome`: `succeeded`, `failed`, `cancelled` or `expired`.
  void export_finished(std::string_view format, std::string_view outcome);
  /// Counts what became durable since the last call, at each checkpoint.
  void exported(std::string_view format, std::int64_t rows, std::int64_t bytes);
  /// Asks `read` at every scrape how many exports wait and run; while it fails these gauges are left out. Replaces the
  /// one before; nullptr removes it. `read` is called under a lock of render(), so it must not call render().
  void watch_active_exports(std::function<Result<std::vector<ActiveExports>>()> read);

  /// Asks `read` at every scrape how the sources fare; nullptr removes it. As watch_active_exports().
  void watch_sources(std::function<std::vector<SourceReading>()> read);

  // --- workers
  void part_uploaded(std::int64_t bytes);
  void checkpoint_took(Duration time);
  void source_batch_took(std::string_view source, Duration time);
  /// `work`: `plan`, `partition` or `assemble`, here and below.
  void work_claimed(std::string_view work);
  /// Another worker took it over, or the claim could not be kept alive.
  void claim_lost(std::string_view work);
  void work_retried(std::string_view work);

  // --- the connection budget
  /// How long a thread waited for its place among a source's connections.
  void source_connection_waited(std::string_view source, Duration time);
  /// Asks `read` at every scrape how many connections to each source this process may have open now. As
  /// watch_active_exports().
  void watch_source_connections(std::function<std::map<std::string, int>()> read);

  // --- HTTP
  /// `route` is the template (`/v1/exports/{id}`), never the path of the request.
  void http_request(std::string_view route, std::string_view method, int status, Duration time);

  /// The text exposition format, version 0.0.4, for `GET /metrics`.
  std::string render();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The content type of Metrics::render().
inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace longshore
