#include "app/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <latch>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "app/formats.h"
#include "app/secret_file.h"
#include "app/sources.h"
#include "assemble/manifest_key.h"
#include "base/crash_point.h"
#include "base/digest.h"
#include "base/memory_budget.h"
#include "base/random.h"
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
#include "jobs/export_coordinator.h"
#include "metadata/migrate.h"
#include "metadata/sql_store.h"
#include "metadata/sqlite/sqlite_database.h"
#include "storage/local/local_store.h"
#include "storage/local/signed_link.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "worker/sweeper.h"
#include "worker/worker.h"

namespace longshore {

namespace {

/// What the process itself needs besides its partitions: code, HTTP, SQLite caches, thread stacks.
constexpr std::int64_t kProcessMemory = std::int64_t{40} << 20;
constexpr std::chrono::milliseconds kShutdownGrace{2'000};

/// Makes the directory for its owner alone: records and files of all tenants lie in it.
Status make_data_dir(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (made && !error) fs::permissions(path, fs::perms::owner_all, error);
  if (!error) return {};
  return fail(external_error("data_dir_unusable", "cannot create data_dir " + path + ": " + error.message(), false));
}

Result<std::string> link_secret(const Configuration& configuration) {
  if (!configuration.storage.link_key.empty()) return configuration.storage.link_key;
  return read_or_make_secret(configuration.data_dir + "/link.key",
                             []() -> Result<std::string> { return to_hex(random_bytes(32)); });
}

Result<ManifestKey> manifest_key(const Configuration& configuration) {
  TRY(const std::string seed,
      read_or_make_secret(configuration.data_dir + "/manifest.key", []() -> Result<std::string> {
        TRY(const ManifestKey fresh, ManifestKey::generate());
        return fresh.seed();
      }));
  return ManifestKey::from_seed(seed);
}

Result<std::unique_ptr<SqlStore>> open_metadata(const Configuration& configuration, const Clock& clock) {
  sql::SqliteOptions options;
  options.path = configuration.metadata.path;
  TRY(std::unique_ptr<sql::SqliteDatabase> database, sql::SqliteDatabase::make(options, clock));
  CHECK_OK(sql::migrate(*database));
  return SqlStore::make(std::move(database));
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
    probes.push_back({"source:" + name, [database = source.get()] { return database->ping(); }});
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
  CHECK_OK(make_data_dir(configuration.data_dir));
  TRY(const Catalog catalog, Catalog::load(configuration.catalog_path));
  TRY(const TokenTable tokens, TokenTable::make(configuration.access.tokens, configuration.access.roles));
  TRY(const ManifestKey key, manifest_key(configuration));
  TRY(const std::string secret, link_secret(configuration));
  TRY(const std::unique_ptr<SqlStore> metadata, open_metadata(configuration, clock));
  TRY(const std::unique_ptr<LocalStore> store, LocalStore::make(configuration.storage.path));
  TRY(const SourceTable sources, make_sources(catalog));
  const FormatTable formats = make_format_table(configuration.limits);
  InProcessSignal signal;

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
  TRY(const std::unique_ptr<SignedLinks> links, SignedLinks::make({{"local", secret}}, public_url, clock));

  const CoordinatorRooms coordinator_rooms{catalog, formats, sources, *metadata, *store, *links, signal, metrics};
  ExportCoordinator coordinator(coordinator_rooms,
                                {configuration.storage.link_lifetime, configuration.storage.link_lifetime_max});
  const ApiContext api{[&](std::string_view authorization) { return tokens.authenticate(authorization); }, public_url};
  append_export_routes(router, api, coordinator);
  append_dataset_routes(router, api, coordinator, format_views(formats));
  append_file_routes(router, *store, *links, clock);
  append_openapi_routes(router, public_url);
  append_health_routes(router, clock, make_probes(*metadata, *store, sources), [&] { return metrics.render(); });

  MemoryBudget memory(configuration.worker.memory_limit - kProcessMemory);
  PlanPolicy plan;
  plan.part_size = configuration.worker.part_size;
  plan.partition_rows = configuration.worker.partition_rows;
  plan.partition_bytes = configuration.worker.partition_bytes;
  const WorkerRooms worker_rooms{*metadata, *metadata, *store, formats, sources, signal,
                                 memory,    metrics,   clock,  key,     plan};
  Worker worker(worker_rooms, worker_options(configuration.worker));
  SweepPolicy sweep;
  sweep.lease = configuration.worker.lease;
  sweep.retry.max_attempts = configuration.worker.max_attempts;
  Sweeper sweeper(worker_rooms, sweep);
  CHECK_OK(worker.start());
  sweeper.start();
  ready.open();
  metrics.watch_active_exports([&]() -> Result<std::vector<ActiveExports>> {
    TRY(const ActiveJobs active, metadata->count_active());
    return std::vector<ActiveExports>{{"queued", active.queued}, {"running", active.running}};
  });
  log_info("listening", {{"endpoint", server->endpoint()}, {"public_url", public_url}, {"worker", worker.id()}});

  wait_for(stop);
  log_info("shutting down");
  // Work first: its grace is the lease of others, while requests only wait for answers.
  sweeper.stop();
  worker.stop();
  server->stop(kShutdownGrace);
  return {};
}

}  // namespace longshore
