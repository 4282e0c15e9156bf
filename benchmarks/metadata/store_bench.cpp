#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/random.h"
#include "metadata/migrate.h"
#include "metadata/postgres/postgres_database.h"
#include "metadata/sql_store.h"
#include "metadata/sqlite/sqlite_database.h"

// Latency of what workers and API edges ask of the store, with 10,000 finished jobs of ten partitions each: on the
// PostgreSQL database of LONGSHORE_BENCH_POSTGRES (empty before, filled afterwards), else on a SQLite file in TMPDIR.
// Commits to the latter wait for the disk (synchronous = FULL), so writes are as fast as it is.

namespace longshore {
namespace {

constexpr int kOldJobs = 10'000;

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s: %s\n", result.error().code.c_str(), result.error().message.c_str());
    std::abort();
  }
  return *std::move(result);
}

void must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s: %s\n", status.error().code.c_str(), status.error().message.c_str());
  std::abort();
}

NewJob new_job(const SystemClock& clock, const std::string& tenant) {
  NewJob request;
  request.job.id = JobId(uuid_v7(clock.now()));
  request.job.tenant = TenantId(tenant);
  request.job.requested_by = UserId("usr_1");
  request.job.spec.dataset.name = "audit_logs";
  request.job.spec.format = "csv";
  for (int i = 0; i < 12; ++i) {
    Column column;
    column.name = column.source = "column_" + std::to_string(i);
    request.job.spec.columns.push_back(column);
  }
  request.job.spec.dataset.columns = request.job.spec.columns;
  request.job.object_key = tenant + "/exports/2026/06/" + request.job.id.str() + ".csv";
  request.request_digest = "digest";
  request.retention = std::chrono::hours{24 * 365};
  return request;
}

std::vector<Partition> partitions(int count) {
  std::vector<Partition> all(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) all[static_cast<std::size_t>(i)].index = i;
  return all;
}

/// A store whose past is long: shared by all measurements.
class OldStore {
 public:
  OldStore() {
    std::unique_ptr<sql::Database> database = open();
    must(sql::migrate(*database));
    fill(*database);
    store_ = must(SqlStore::make(std::move(database)));
    must(store_->register_worker(worker_, "host", 1));
  }
  ~OldStore() {
    store_.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  SqlStore& store() { return *store_; }
  const WorkerId& worker() const { return worker_; }
  const SystemClock& clock() const { return clock_; }

  /// Plans a job of `count` partitions and leaves them to be claimed.
  JobId plan(const std::string& tenant, int count) {
    const NewJob request = new_job(clock_, tenant);
    must(store_->insert(request));
    const auto work = std::get<PlanWork>(*must(store_->claim_next(worker_)));
    must(store_->save_plan(work.claim, partitions(count), 8 << 20, 1));
    return request.job.id;
  }
  void clear(const std::string& tenant, const JobId& job) {
    must(store_->cancel(TenantId(tenant), job));
    must(store_->retire_worker(worker_));
    must(store_->register_worker(worker_, "host", 1));
    while (auto work = must(store_->claim_next(worker_))) must(store_->mark_clean(std::get<CleanWork>(*work).claim));
  }

 private:
  std::unique_ptr<sql::Database> open() {
    if (const char* connection = std::getenv("LONGSHORE_BENCH_POSTGRES")) {
      sql::PostgresOptions options;
      options.connection = connection;
      partition_id_ = "gen_random_uuid()";
      return must(sql::PostgresDatabase::make(options));
    }
    std::string name = (std::filesystem::temp_directory_path() / "longshore-bench-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    partition_id_ = "j.id || '-' || i";
    return must(sql::SqliteDatabase::make({.path = (directory_ / "meta.db").string()}, clock_));
  }
  void fill(sql::Database& database) {
    const std::string spec = to_json(new_job(clock_, "t").job.spec);
    must(
        sql::transact(database, sql::Access::write, [&](sql::Transaction& transaction) -> Status {
          CHECK_OK(transaction.execute(R"(
        INSERT INTO export_jobs (tenant_id, requested_by, export_type, format, status, phase, filters, requested_columns,
          spec, request_digest, retention, created_at, started_at, completed_at, expires_at)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        SELECT 'tenant-' || (i % 50), 'u', 'audit_logs', 'csv', 'SUCCEEDED', 'done', {json '[]'}, {text_array '[]'},
          {json $2}, 'd', 1, {later {now} | CAST(i AS bigint) * -1000000}, {now}, {now}, {later {now} | 31536000000000} FROM n)",
                                       {kOldJobs, spec}));
          CHECK_OK(transaction.query(R"(
        INSERT INTO export_job_partitions (id, job_id, partition_index, range_start, range_end, status, worker_id, epoch,
          base_part_number, part_slots, created_at, key_range)
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
        SELECT )" + partition_id_ + R"(, j.id, i, 'a', 'b', 'COMPLETED', 'worker-of-old', 1, 1, 10, {now}, {json '[]'}
        FROM export_jobs j, n)"));
          CHECK_OK(transaction.execute(R"(
        INSERT INTO export_parts (job_id, partition_index, sequence, number, epoch, row_count, bytes, crc32c, sha256, etag,
          recorded_at, last_key, summary)
        SELECT job_id, partition_index, 0, 0, 1, 10000, 8388608, 1, $1, 'etag', {now}, 'key', 'summary'
        FROM export_job_partitions)",
                                       {std::string(64, 'a')}));
          return {};
        }));
  }

  SystemClock clock_;
  std::filesystem::path directory_;  ///< empty: on PostgreSQL
  std::string partition_id_;
  std::unique_ptr<SqlStore> store_;
  WorkerId worker_{"bench"};
};

OldStore& old_store() {
  static OldStore store;
  return store;
}

void claim_next_idle(benchmark::State& state) {
  OldStore& old = old_store();
  for (auto _ : state) benchmark::DoNotOptimize(must(old.store().claim_next(old.worker())));
}
BENCHMARK(claim_next_idle)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// What a statement costs that does nothing.
void now(benchmark::State& state) {
  OldStore& old = old_store();
  for (auto _ : state) benchmark::DoNotOptimize(must(old.store().now()));
}
BENCHMARK(now)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// With as many other jobs of the same tenant queued as the argument says, and as many tenants with one each as the
/// second.
void claim_and_hand_back(benchmark::State& state) {
  OldStore& old = old_store();
  const JobId job = old.plan("acme", 100);
  std::vector<std::pair<TenantId, JobId>> queued;
  const auto queue = [&](const std::string& tenant) {
    const NewJob request = new_job(old.clock(), tenant);
    must(old.store().insert(request));
    queued.emplace_back(request.job.tenant, request.job.id);
  };
  for (int i = 0; i < state.range(0); ++i) queue("acme");
  for (int i = 0; i < state.range(1); ++i) queue("other-" + std::to_string(i));
  for (auto _ : state) {
    const auto work = must(old.store().claim_next(old.worker()));
    state.PauseTiming();
    must(old.store().hand_back(std::visit([](const auto& any) { return any.claim; }, *work)));
    state.ResumeTiming();
  }
  for (const auto& [tenant, id] : queued) must(old.store().cancel(tenant, id));
  old.clear("acme", job);
}
BENCHMARK(claim_and_hand_back)
    ->ArgNames({"queued", "tenants"})
    ->Args({0, 0})
    ->Args({1000, 0})
    ->Args({1000, 100})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

void checkpoint(benchmark::State& state) {
  OldStore& old = old_store();
  const JobId job = old.plan("acme", 1);
  const Claim claim = std::get<PartitionWork>(*must(old.store().claim_next(old.worker()))).claim;
  Part part;
  part.etag = std::string(34, 'e');
  part.sha256 = std::string(64, 'a');
  part.last_key = {"1234567890"};
  part.summary.rows = 30'000;
  part.bytes = 8 << 20;
  for (auto _ : state) {
    must(old.store().checkpoint(claim, part));
    ++part.sequence;
  }
  old.clear("acme", job);
}
BENCHMARK(checkpoint)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// Of a worker with four partitions of a job that has as many as the argument says.
void heartbeat(benchmark::State& state) {
  OldStore& old = old_store();
  const JobId job = old.plan("acme", static_cast<int>(state.range(0)));
  std::vector<PartitionProgress> progress;
  progress.reserve(4);
  for (int i = 0; i < 4; ++i) {
    progress.push_back({std::get<PartitionWork>(*must(old.store().claim_next(old.worker()))).claim, 0, 0, ""});
  }
  for (auto _ : state) {
    for (auto& entry : progress) entry.rows += 1000;
    benchmark::DoNotOptimize(must(old.store().heartbeat(old.worker(), progress)));
  }
  old.clear("acme", job);
}
BENCHMARK(heartbeat)->ArgName("partitions")->Arg(4)->Arg(1000)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// What every process does every few seconds.
void sweep_idle(benchmark::State& state) {
  OldStore& old = old_store();
  for (auto _ : state) {
    benchmark::DoNotOptimize(must(old.store().free_lost_claims(std::chrono::hours{1}, {})));
    benchmark::DoNotOptimize(must(old.store().expire_due()));
    benchmark::DoNotOptimize(must(old.store().workers()));
  }
}
BENCHMARK(sweep_idle)->UseRealTime()->Unit(benchmark::kMicrosecond);

void insert(benchmark::State& state) {
  OldStore& old = old_store();
  std::vector<JobId> ids;
  for (auto _ : state) {
    NewJob request = new_job(old.clock(), "globex");
    request.idempotency_key = request.job.id.str();
    must(old.store().insert(request));
    ids.push_back(request.job.id);
  }
  for (const JobId& id : ids) must(old.store().cancel(TenantId("globex"), id));
}
BENCHMARK(insert)->UseRealTime()->Unit(benchmark::kMicrosecond);

void find(benchmark::State& state) {
  OldStore& old = old_store();
  const JobId job = old.plan("acme", 4);
  for (auto _ : state) benchmark::DoNotOptimize(must(old.store().find(TenantId("acme"), job)));
  old.clear("acme", job);
}
BENCHMARK(find)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// From eight threads, as an API edge asks.
void find_concurrently(benchmark::State& state) {
  OldStore& old = old_store();
  static JobId job;
  if (state.thread_index() == 0) job = old.plan("acme", 4);
  for (auto _ : state) benchmark::DoNotOptimize(must(old.store().find(TenantId("acme"), job)));
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) old.clear("acme", job);
}
BENCHMARK(find_concurrently)->Threads(8)->UseRealTime()->Unit(benchmark::kMicrosecond);

void list_page(benchmark::State& state) {
  OldStore& old = old_store();
  JobFilter filter;
  filter.tenant = TenantId("tenant-7");
  for (auto _ : state) benchmark::DoNotOptimize(must(old.store().list(filter)));
}
BENCHMARK(list_page)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace longshore

BENCHMARK_MAIN();
