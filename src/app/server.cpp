#include "app/server.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "app/data_dir.h"
#include "app/formats.h"
#include "app/metadata.h"
#include "app/object_storage.h"
#include "app/secret_file.h"
#include "app/sources.h"
#include "assemble/manifest_key.h"
#include "base/crash_point.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "budget/cluster_budget.h"
#include "catalog/catalog.h"
#include "dispatch/work_signal.h"
#include "http/access_log.h"
#include "http/dataset_routes.h"
#include "http/export_routes.h"
#include "http/file_routes.h"
#include "http/health_routes.h"
#include "http/openapi_routes.h"
#include "http/router.h"
#include "http/server.h"
#include "http/worker_routes.h"
#include "jobs/export_coordinator.h"
#include "metadata/sql_store.h"
#include "pdf/font_set.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "worker/sweeper.h"
#include "worker/worker.h"

namespace longshore {

namespace {

/// What the process itself needs besides its partitions: code, HTTP, SQLite caches, thread stacks.
constexpr std::int64_t kProcessMemory = std::int64_t{40} << 20;
constexpr std::chrono::milliseconds kShutdownGrace{2'000};
constexpr std::chrono::milliseconds kLeastGrace{250};
// Together with an attempt to connect that has just begun (3 s), less than the 5 s in which a process must be gone.
constexpr std::chrono::milliseconds kMetadataGrace{1'500};
constexpr std::chrono::milliseconds kUploadGrace{2'000};

Result<ManifestKey> manifest_key(const Configuration& configuration) {
  if (!configuration.manifest_key.empty()) return ManifestKey::from_seed(configuration.manifest_key);
  CHECK_OK(make_data_dir(configuration.data_dir));
  if (configuration.metadata.driver != MetadataDriver::sqlite) {
    log_warn("no manifest.key is configured: every node signs manifests by a key of its own");
  }
  TRY(const std::string seed,
      read_or_make_secret(configuration.data_dir + "/manifest.key", []() -> Result<std::string> {
        TRY(const ManifestKey fresh, ManifestKey::generate());
        return fresh.seed();
      }));
  return ManifestKey::from_seed(seed);
}

std::vector<FormatView> format_views(const FormatTable& formats) {
  std::vector<FormatView> views;
  for (const Format* format : formats.all()) {
    const FormatTraits& traits = format->traits();
    FormatView view{traits.name, traits.content_type, traits.extension, {"none"}, traits.max_rows, traits.sheet_rows};
    if (traits.compressible) view.compressions = {"none", "gzip", "zstd"};
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<Probe> make_probes(JobStore& jobs, ObjectStore& store, const SourceTable& sources) {
  std::vector<Probe> probes;
  probes.push_back({"metadata", [&jobs]() -> Status {
                      TRY(const Timestamp now, jobs.now());
                      (void)now;
                      return {};
                    }});
  probes.push_back({"store", [&store] { return store.ping(); }});
  for (const auto& [name, source] : sources.all()) {
    probes.push_back({"source:" + name, [database = source.get()] { return database->ping(); }, "source_busy"});
  }
  return probes;
}

ServerOptions server_options(const ServerConfiguration& configuration) {
  ServerOptions options;
  options.address = configuration.address;
  options.port = configuration.port;
  options.handler_threads = configuration.threads;
  options.max_connections = configuration.max_connections;
  options.max_body_bytes = static_cast<std::size_t>(configuration.max_body);
  options.request_timeout = configuration.request_timeout;
  return options;
}

WorkerOptions worker_options(const WorkerConfiguration& configuration) {
  char host[64] = "localhost";
  ::gethostname(host, sizeof host - 1);
  WorkerOptions options;
  options.host = host;
  options.slots = configuration.slots;
  options.heartbeat = configuration.heartbeat;
  options.lease = configuration.lease;
  options.poll = configuration.poll;
  options.retry.max_attempts = configuration.max_attempts;
  return options;
}

ClusterBudgetOptions budget_options(const WorkerConfiguration& configuration, const Clock& clock, Metrics& metrics) {
  ClusterBudgetOptions options;
  options.holder = uuid_v7(clock.now());
  options.lease = configuration.lease;
  options.margin = configuration.lease / 5;
  options.renew = std::min<Duration>(options.renew, configuration.lease / 10);
  options.on_acquired = [&metrics](std::string_view source, Duration waited) {
    metrics.source_connection_waited(source, waited);
  };
  return options;
}

std::vector<SourceReading> read_sources(const SourceTable& sources) {
  std::vector<SourceReading> readings;
  for (const auto& [name, source] : sources.all()) {
    const SourceHealth health = source->health();
    SourceReading reading{
        .source = name, .servers = {}, .paused_scans = health.paused_scans, .paused_seconds = health.paused_seconds};
    for (const ServerHealth& server : health.servers) reading.servers.push_back({server.name, server.up, server.lag});
    readings.push_back(std::move(reading));
  }
  return readings;
}

/// Lets waiting requests go on, at the latest when its scope ends: a server that cannot start must still answer them.
class Gate {
 public:
  void wait() const { open_.wait(); }
  void open() {
    if (!opened_) open_.count_down();
    opened_ = true;
  }

 private:
  std::latch open_{1};
  bool opened_ = false;
};

struct GateOpener {
  Gate& gate;
  ~GateOpener() { gate.open(); }
};

PlanPolicy plan_policy(const WorkerConfiguration& configuration) {
  PlanPolicy plan;
  plan.part_size = configuration.part_size;
  plan.partition_rows = configuration.partition_rows;
  plan.partition_bytes = configuration.partition_bytes;
  return plan;
}

SweepPolicy sweep_policy(const WorkerConfiguration& configuration, std::string holder) {
  SweepPolicy sweep;
  sweep.lease = configuration.lease;
  sweep.retry.max_attempts = configuration.max_attempts;
  sweep.holder = std::move(holder);
  return sweep;
}

const char* role_name(Role role) {
  return role == Role::api ? "api" : role == Role::worker ? "worker" : "all";
}

void wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

}  // namespace

Status run_server(const Configuration& configuration, std::stop_token stop) {
  configure_logs(configuration.log.level, configuration.log.format);
  arm_crash_points();  // before the threads that pass them
  SystemClock clock;
  Metrics metrics;
  std::stop_source store_stop;
  std::stop_source metadata_hurry;
  TRY(const Catalog catalog, Catalog::load(configuration.catalog_path));
  if (catalog.datasets().empty()) {
    log_warn("the catalog is empty: nothing can be exported", {{"catalog", configuration.catalog_path}});
  }
  TRY(const TokenTable tokens, TokenTable::make(configuration.access.tokens, configuration.access.roles));
  TRY(const ManifestKey key, manifest_key(configuration));
  TRY(const std::unique_ptr<SqlStore> metadata, open_metadata(configuration, clock, metadata_hurry.get_token()));
  TRY(const std::unique_ptr<ObjectStorage> storage, open_storage(configuration, clock, store_stop.get_token()));
  ObjectStore& store = storage->store();
  // One process alone on its SQLite file needs nobody's leave.
  std::optional<ClusterBudget> budget;
  if (configuration.metadata.driver == MetadataDriver::postgres) {
    budget.emplace(*metadata, budget_options(configuration.worker, clock, metrics));
    metrics.watch_source_connections([&budget] { return budget->held(); });
  }
  TRY(const SourceTable sources, make_sources(catalog, budget ? &*budget : nullptr));
  TRY(auto pdf_fonts, load_pdf_fonts(configuration.pdf_fonts));
  // Workers that share exports need the same; two logs side by side tell whether they have them.
  log_info("fonts of PDF reports", {{"fonts", pdf_fonts->size()}, {"fingerprint", pdf_fonts->fingerprint()}});
  const FormatTable formats = make_format_table(configuration.limits, std::move(pdf_fonts));
  TRY(const std::unique_ptr<WorkSignal> signal, make_work_signal(configuration.metadata, metadata_hurry.get_token()));

  // Links name the address that the server listens on, which is known only once it does; until then requests wait.
  Router router;
  Gate ready;
  TRY(const std::unique_ptr<Server> server, Server::make(
                                                server_options(configuration.server),
                                                [&](Request& request) {
                                                  ready.wait();
                                                  return router.handle(request);
                                                },
                                                make_access_log(metrics)));
  const GateOpener open_at_the_end{ready};
  const std::string& configured_url = configuration.server.public_url;
  const std::string public_url = configured_url.empty() ? "http://" + server->endpoint() : configured_url;

  append_health_routes(router, clock, make_probes(*metadata, store, sources), [&] { return metrics.render(); });
  std::optional<ExportCoordinator> coordinator;
  const ApiContext api{[&](std::string_view authorization) { return tokens.authenticate(authorization); }, public_url};
  if (configuration.role != Role::worker) {
    TRY(LinkSigner* const links, storage->make_links(public_url, router));
    const CoordinatorRooms rooms{catalog, formats, sources, *metadata, store, *links, *signal, metrics};
    coordinator.emplace(rooms,
                        LinkPolicy{configuration.storage.link_lifetime, configuration.storage.link_lifetime_max});
    append_export_routes(router, api, *coordinator);
    append_dataset_routes(router, api, *coordinator, format_views(formats));
    append_worker_routes(router, api, *coordinator);
    append_openapi_routes(router, public_url);
  }

  MemoryBudget memory(configuration.worker.memory_limit - kProcessMemory);
  const WorkerRooms worker_rooms{*metadata,
                                 *metadata,
                                 store,
                                 formats,
                                 sources,
                                 *signal,
                                 memory,
                                 metrics,
                                 clock,
                                 key,
                                 plan_policy(configuration.worker),
                                 *metadata};
  Worker worker(worker_rooms, worker_options(configuration.worker));
  Sweeper sweeper(worker_rooms, sweep_policy(configuration.worker, worker.id().str()));
  if (configuration.role != Role::api) {
    CHECK_OK(worker.start());
    sweeper.start();
  }
  ready.open();
  metrics.watch_active_exports([&]() -> Result<std::vector<ActiveExports>> {
    TRY(const ActiveJobs active, metadata->count_active());
    return std::vector<ActiveExports>{{"queued", active.queued}, {"running", active.running}};
  });
  metrics.watch_sources([&] { return read_sources(sources); });
  log_info("listening", {{"endpoint", server->endpoint()},
                         {"public_url", public_url},
                         {"role", role_name(configuration.role)},
                         {"worker", configuration.role == Role::api ? std::string() : worker.id().str()}});

  wait_for(stop);
  log_info("shutting down");
  const auto asked = clock.steady_now();
  // Neither a metadata store that is away nor a part on its way to a store that hangs may hold the process: what was
  // checkpointed is safe, and what cannot be handed back is freed when its lease runs out.
  const std::jthread hurry([&](const std::stop_token& done) {
    if (!clock.sleep_for(kMetadataGrace, done)) return;
    metadata_hurry.request_stop();
    if (clock.sleep_for(kUploadGrace - kMetadataGrace, done)) store_stop.request_stop();
  });
  // Work first: its grace is the lease of others, while requests only wait for answers.
  sweeper.stop();
  worker.stop();
  const auto taken = std::chrono::floor<std::chrono::milliseconds>(clock.steady_now() - asked);
  server->stop(std::max(kLeastGrace, kShutdownGrace - taken));
  return {};
}

}  // namespace longshore
