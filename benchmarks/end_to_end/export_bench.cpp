// One whole export by a worker in this process: claim, plan, read, encode, store, assemble, publish; no HTTP.
//
//   export_bench CATALOG DATASET TENANT FORMAT COMPRESSION SLOTS PARTITIONS STORE_DIR|discard
//
// Prints {"rows":…,"bytes":…,"seconds":…,"partitions":…,"peak_rss":…}; rss in bytes.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>

#include "app/formats.h"
#include "app/sources.h"
#include "assemble/manifest_key.h"
#include "base/memory_budget.h"
#include "base/process_memory.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "catalog/request.h"
#include "dispatch/work_signal.h"
#include "jobs/format_choices.h"
#include "metadata/migrate.h"
#include "metadata/sql_store.h"
#include "metadata/sqlite/sqlite_database.h"
#include "storage/discard/discard_store.h"
#include "storage/local/local_store.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "worker/worker.h"

namespace {

using namespace longshore;  // NOLINT: a program of one file
namespace fs = std::filesystem;

template <class T>
T or_die(Result<T> result) {
  if (!result) {
    std::cerr << "export_bench: " << result.error().message << "\n";
    for (const ErrorDetail& detail : result.error().details)
      std::cerr << detail.where << ": " << detail.message << "\n";
    std::exit(1);
  }
  return *std::move(result);
}

void or_die(const Status& status) {
  if (status) return;
  std::cerr << "export_bench: " << status.error().message << "\n";
  std::exit(1);
}

std::unique_ptr<ObjectStore> make_store(const std::string& where) {
  if (where == "discard") return std::make_unique<DiscardStore>();
  return or_die(LocalStore::make(where));
}

std::int64_t peak_rss() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) {
    std::cerr << "usage: export_bench CATALOG DATASET TENANT FORMAT COMPRESSION SLOTS PARTITIONS STORE_DIR|discard\n";
    return 2;
  }
  return_freed_memory();
  configure_logs(LogLevel::warn, LogFormat::text);
  const std::string dataset = argv[2];
  const std::string format = argv[4];
  const int slots = std::atoi(argv[6]);
  const int partitions = std::atoi(argv[7]);

  std::string directory = (fs::temp_directory_path() / "longshore-bench-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  const std::shared_ptr<void> remove_directory(nullptr, [&](void*) { fs::remove_all(directory); });

  SystemClock clock;
  Metrics metrics;
  InProcessSignal signal;
  const Catalog catalog = or_die(Catalog::load(argv[1]));
  const FormatTable formats = make_format_table();
  const SourceTable sources = or_die(make_sources(catalog));
  const ManifestKey key = or_die(ManifestKey::generate());
  sql::SqliteOptions sqlite;
  sqlite.path = directory + "/metadata.db";
  auto database = or_die(sql::SqliteDatabase::make(sqlite, clock));
  or_die(sql::migrate(*database));
  const std::unique_ptr<SqlStore> metadata = or_die(SqlStore::make(std::move(database)));
  const std::unique_ptr<ObjectStore> store = make_store(argv[8]);

  const Principal who{TenantId(argv[3]), UserId("bench"), {}, {"*"}};
  const std::string body =
      R"({"exportType":")" + dataset + R"(","format":")" + format + R"(","compression":")" + argv[5] + R"("})";
  NewJob request;
  request.job.spec = or_die(validate_request(body, catalog, who, format_choices(formats)));
  request.job.id = JobId(uuid_v7(clock.now()));
  request.job.tenant = who.tenant;
  request.job.requested_by = who.user;
  request.job.object_key = "bench/exports/2026/01/" + request.job.id.str() + "." + formats.extension(request.job.spec);
  request.request_digest = "bench";
  request.retention = std::chrono::hours{1};

  MemoryBudget memory(std::int64_t{88} << 20);
  PlanPolicy plan;
  if (partitions > 0) {
    // As many as asked for, whatever the size.
    const ScanEstimate size =
        or_die(or_die(sources.find(request.job.spec.dataset.source))->estimate(request.job.spec, {}));
    plan.partition_rows = 1;
    plan.partition_bytes = size.rows * size.bytes_per_row / partitions + 1;
  }
  const WorkerRooms rooms{*metadata, *metadata, *store, formats, sources, signal,
                          memory,    metrics,   clock,  key,     plan,    *metadata};
  WorkerOptions options;
  options.host = "bench";
  options.slots = slots;

  const auto begun = std::chrono::steady_clock::now();
  or_die(metadata->insert(request));
  Worker worker(rooms, options);
  or_die(worker.start());
  ExportJob job;
  for (;;) {
    job = *or_die(metadata->find(who.tenant, request.job.id));
    if (is_terminal(job.state)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  worker.stop();
  if (job.state != JobState::succeeded) {
    std::cerr << "export_bench: " << job.error_message << "\n";
    return 1;
  }
  std::printf("{\"rows\":%lld,\"bytes\":%lld,\"seconds\":%.3f,\"partitions\":%d,\"peak_rss\":%lld}\n",
              static_cast<long long>(job.row_count), static_cast<long long>(job.byte_count), seconds,
              job.partition_count, static_cast<long long>(peak_rss()));
  return 0;
}
