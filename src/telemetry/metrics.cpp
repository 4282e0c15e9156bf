#include "telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <mutex>
#include <utility>

namespace longshore {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

/// From a fast answer of SQLite to a statement near its timeout.
const Histogram::BucketBoundaries kSecondsBuckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                  0.25,  0.5,    1,     2.5,  5,     10,   30};

double in_seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

/// Clients may send any word as a method; only those that HTTP names get a series of their own.
std::string known_method(std::string_view method) {
  constexpr std::array<std::string_view, 7> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return std::string(std::ranges::find(kMethods, method) == kMethods.end() ? std::string_view("other") : method);
}

/// Bytes of memory that are in RAM now; 0 if the system does not say.
double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return statm ? static_cast<double>(resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;

  Family<Counter>& created = counter("longshore_exports_created_total", "Exports accepted.");
  Family<Counter>& finished = counter("longshore_exports_finished_total", "Exports that reached a final state.");
  Family<Counter>& rows = counter("longshore_exported_rows_total", "Rows made durable.");
  Family<Counter>& bytes = counter("longshore_exported_bytes_total", "Bytes of files made durable.");
  Family<Gauge>& active = gauge("longshore_exports_active", "Exports that wait or run now, by state.");
  Counter& parts = counter("longshore_parts_uploaded_total", "Parts of files stored.").Add({});
  Counter& part_bytes = counter("longshore_part_bytes_total", "Bytes of the parts stored.").Add({});
  Histogram& checkpoint =
      histogram("longshore_checkpoint_seconds", "Time to record a checkpoint.").Add({}, kSecondsBuckets);
  Family<Histogram>& source_batch =
      histogram("longshore_source_batch_seconds", "Time to read one batch of rows from a source.");
  Family<Counter>& claims = counter("longshore_claims_total", "Units of work taken by this process.");
  Family<Counter>& claims_lost =
      counter("longshore_claims_lost_total", "Claims that were lost before their work was done.");
  Family<Counter>& retries = counter("longshore_work_retries_total", "Units of work tried again after a failure.");
  Family<Counter>& requests = counter("longshore_http_requests_total", "HTTP requests answered.");
  Family<Histogram>& request_seconds =
      histogram("longshore_http_request_seconds", "Time from a request's arrival to the end of its answer.");
  Gauge& resident = gauge("longshore_resident_memory_bytes", "Resident memory of this process.").Add({});

  Family<Gauge>& source_lag =
      gauge("longshore_source_lag_seconds", "How far a source's server is behind, where that is known.");
  Family<Gauge>& source_up = gauge("longshore_source_server_up", "Whether a source's server answers.");
  Family<Gauge>& source_paused =
      gauge("longshore_source_paused", "Scans of a source that lag holds up now, in this process.");
  Family<Counter>& source_paused_seconds =
      counter("longshore_source_paused_seconds_total", "Time for which lag has held scans of a source up.");

  Family<Gauge>& source_connections =
      gauge("longshore_source_connections", "Places among a source's connections that this process holds.");
  Family<Histogram>& source_connection_wait =
      histogram("longshore_source_connection_wait_seconds", "Time until a place among a source's connections was had.");

  std::mutex scrape_mutex;  ///< guards what follows
  std::function<std::map<std::string, int>()> read_connections;
  std::function<std::vector<SourceReading>()> read_sources;
  std::vector<std::pair<Family<Gauge>*, Gauge*>> source_gauges;
  std::function<Result<std::vector<ActiveExports>>()> read_active;
  std::vector<Gauge*> active_gauges;

  Family<Counter>& counter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Gauge>& gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& histogram(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  /// Makes the gauges anew, so that a server which is not polled any more does not keep its last value.
  void refresh_sources();

  /// Makes the gauges anew, so that a state which is no longer told does not keep its last value.
  void refresh_active() {
    for (Gauge* gauge : active_gauges) active.Remove(gauge);
    active_gauges.clear();
    if (!read_active) return;
    const auto counts = read_active();
    if (!counts) return;
    for (const ActiveExports& state : *counts) {
      Gauge& gauge = active.Add({{"state", state.state}});
      gauge.Set(static_cast<double>(state.count));
      if (std::ranges::find(active_gauges, &gauge) == active_gauges.end()) active_gauges.push_back(&gauge);
    }
  }
};

void Metrics::State::refresh_sources() {
  for (const auto& [family, gauge] : source_gauges) family->Remove(gauge);
  source_gauges.clear();
  if (!read_sources) return;
  const auto set = [&](Family<Gauge>& family, const prometheus::Labels& labels, double value) {
    Gauge& gauge = family.Add(labels);
    gauge.Set(value);
    source_gauges.emplace_back(&family, &gauge);
  };
  for (const SourceReading& reading : read_sources()) {
    const prometheus::Labels labels{{"source", reading.source}};
    set(source_paused, labels, reading.paused_scans);
    Counter& seconds = source_paused_seconds.Add(labels);
    seconds.Increment(std::max(0.0, reading.paused_seconds - seconds.Value()));
    for (const SourceReading::Server& server : reading.servers) {
      const prometheus::Labels both{{"source", reading.source}, {"server", server.name}};
      set(source_up, both, server.up ? 1 : 0);
      if (server.lag_seconds) set(source_lag, both, *server.lag_seconds);
    }
  }
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}

Metrics::~Metrics() = default;

void Metrics::export_created(std::string_view format) {
  state_->created.Add({{"format", std::string(format)}}).Increment();
}

void Metrics::export_finished(std::string_view format, std::string_view outcome) {
  state_->finished.Add({{"format", std::string(format)}, {"outcome", std::string(outcome)}}).Increment();
}

void Metrics::exported(std::string_view format, std::int64_t rows, std::int64_t bytes) {
  const prometheus::Labels labels{{"format", std::string(format)}};
  state_->rows.Add(labels).Increment(static_cast<double>(rows));
  state_->bytes.Add(labels).Increment(static_cast<double>(bytes));
}

void Metrics::watch_active_exports(std::function<Result<std::vector<ActiveExports>>()> read) {
  const std::lock_guard lock(state_->scrape_mutex);
  state_->read_active = std::move(read);
}

void Metrics::watch_sources(std::function<std::vector<SourceReading>()> read) {
  const std::lock_guard lock(state_->scrape_mutex);
  state_->read_sources = std::move(read);
}

void Metrics::source_connection_waited(std::string_view source, Duration time) {
  state_->source_connection_wait.Add({{"source", std::string(source)}}, kSecondsBuckets).Observe(in_seconds(time));
}

void Metrics::watch_source_connections(std::function<std::map<std::string, int>()> read) {
  const std::lock_guard lock(state_->scrape_mutex);
  state_->read_connections = std::move(read);
}

void Metrics::part_uploaded(std::int64_t bytes) {
  state_->parts.Increment();
  state_->part_bytes.Increment(static_cast<double>(bytes));
}

void Metrics::checkpoint_took(Duration time) {
  state_->checkpoint.Observe(in_seconds(time));
}

void Metrics::source_batch_took(std::string_view source, Duration time) {
  state_->source_batch.Add({{"source", std::string(source)}}, kSecondsBuckets).Observe(in_seconds(time));
}

void Metrics::work_claimed(std::string_view work) {
  state_->claims.Add({{"work", std::string(work)}}).Increment();
}

void Metrics::claim_lost(std::string_view work) {
  state_->claims_lost.Add({{"work", std::string(work)}}).Increment();
}

void Metrics::work_retried(std::string_view work) {
  state_->retries.Add({{"work", std::string(work)}}).Increment();
}

void Metrics::http_request(std::string_view route, std::string_view method, int status, Duration time) {
  const std::string known = known_method(method);
  state_->requests.Add({{"route", std::string(route)}, {"method", known}, {"status", std::to_string(status)}})
      .Increment();
  state_->request_seconds.Add({{"route", std::string(route)}, {"method", known}}, kSecondsBuckets)
      .Observe(in_seconds(time));
}

std::string Metrics::render() {
  const std::lock_guard lock(state_->scrape_mutex);
  state_->refresh_active();
  if (state_->read_connections) {
    for (const auto& [source, held] : state_->read_connections()) {
      state_->source_connections.Add({{"source", source}}).Set(held);
    }
  }
  state_->refresh_sources();
  state_->resident.Set(resident_bytes());
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace longshore
