#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "metadata/claim_guard.h"
#include "metadata/claim_query.h"
#include "metadata/sql_store.h"

namespace longshore {
namespace {

constexpr Duration kRememberLostWorkers = std::chrono::hours{24};

Error worker_lost(const WorkerId& id) {
  return external_error(
      "worker_lost",
      fmt::format("worker {} was silent for longer than its lease: its claims were given to others; stop "
                  "all of its work and register a new id",
                  id.str()),
      false);
}

bool same_row(const Claim& a, const Claim& b) {
  return std::tie(a.job, a.partition, a.epoch) == std::tie(b.job, b.partition, b.epoch);
}

Claim read_claim(const sql::Row& row) {
  return {.worker = WorkerId(row.text("worker_id")),
          .job = JobId(row.text("job_id")),
          .partition = static_cast<int>(row.integer("partition_index")),
          .epoch = row.integer("epoch")};
}

/// Records the progress of one claim; false when the claim is lost.
Result<bool> record_progress(sql::Transaction& transaction, const PartitionProgress& progress) {
  TRY(const claims::Standing standing, claims::standing(transaction, progress.claim));
  if (!standing.wanted) return false;
  if (progress.claim.partition < 0) return true;
  CHECK_OK(transaction.execute(
      R"(
    UPDATE export_job_partitions SET live_rows = $3, live_bytes = $4, source_pressure = $5
    WHERE job_id = $1 AND partition_index = $2)",
      {progress.claim.job, progress.claim.partition, progress.rows, progress.bytes, progress.source_pressure}));
  return true;
}

/// Claims on a job itself whose job has ended: its worker does not list them with the progress, so they are looked up.
Status add_ended_jobs(sql::Transaction& transaction, const WorkerId& id, std::vector<Claim>& lost) {
  TRY(const sql::Rows rows, transaction.query(R"(
    SELECT id, epoch FROM export_jobs WHERE worker_id = $1 AND claimed_for <> 'clean' AND status <> 'RUNNING')",
                                              {id}));
  for (const sql::Row row : rows) {
    const Claim claim{.worker = id, .job = JobId(row.text("id")), .partition = -1, .epoch = row.integer("epoch")};
    if (std::ranges::none_of(lost, [&](const Claim& known) { return same_row(known, claim); })) lost.push_back(claim);
  }
  return {};
}

/// Partitions of ended jobs that the worker no longer lists: it was told at its previous heartbeat and has let go, so
/// cleaning need not wait. One that was taken since then is not among them, because nothing is taken of an ended job.
Status release_abandoned(sql::Transaction& transaction, const WorkerId& id, Timestamp previous,
                         const std::vector<PartitionProgress>& listed) {
  TRY(const sql::Rows rows, transaction.query(R"(
    SELECT p.worker_id, p.job_id, p.partition_index, p.epoch, p.attempts
    FROM export_job_partitions p CROSS JOIN export_jobs j
    WHERE p.worker_id = $1 AND p.status = 'RUNNING' AND j.id = p.job_id
      AND j.status <> 'RUNNING' AND j.completed_at < {time $2})",
                                              {id, previous}));
  for (const sql::Row row : rows) {
    const Claim claim = read_claim(row);
    if (std::ranges::any_of(listed, [&](const PartitionProgress& p) { return same_row(p.claim, claim); })) continue;
    CHECK_OK(
        claims::release(transaction, claim, claims::kExtract, static_cast<int>(row.integer("attempts")), Duration{}));
  }
  return {};
}

/// All claims of one worker.
constexpr char kClaimsOfWorker[] = R"(
  SELECT worker_id, job_id, partition_index, epoch FROM export_job_partitions WHERE worker_id = $1 AND status = 'RUNNING'
  UNION ALL
  SELECT worker_id, id, -1, epoch FROM export_jobs WHERE worker_id = $1)";

/// In the lock order.
std::vector<Claim> read_claims(const sql::Rows& rows) {
  std::vector<Claim> claims;
  claims.reserve(rows.size());
  for (const sql::Row row : rows) claims.push_back(read_claim(row));
  std::ranges::sort(claims, {}, [](const Claim& claim) { return std::tie(claim.job, claim.partition); });
  return claims;
}

/// The claim of a worker that is lost: its work goes to others, unless it has cost too many workers already.
Status take_over(sql::Transaction& transaction, const Claim& claim, const claims::Standing& standing,
                 const RetryPolicy& policy) {
  const int attempts = claims::counted_attempts(standing);
  const bool exhausted = standing.wanted && standing.purpose != claims::kClean && attempts >= policy.max_attempts;
  if (!exhausted) return claims::release(transaction, claim, standing.purpose, attempts, Duration{});
  const std::string what =
      claim.partition < 0 ? "the " + standing.purpose + " step" : "partition " + std::to_string(claim.partition);
  return claims::fail_work(
      transaction, claim, "worker_lost_repeatedly",
      fmt::format("{} of this export lost its worker {} times in a row (last: {}): a process that works on it dies or "
                  "hangs; look at that worker's log and at the memory limit of its process",
                  what, attempts, claim.worker.str()));
}

}  // namespace

Status SqlStore::register_worker(const WorkerId& id, const std::string& host, int pid) {
  return write([&](sql::Transaction& transaction) -> Status {
    CHECK_OK(transaction.execute(R"(
      INSERT INTO export_workers (id, host, pid, status, started_at, heartbeat_at) VALUES ($1, $2, $3, 'ALIVE', {now}, {now}))",
                                 {id, host, pid}));
    return {};
  });
}

Result<std::vector<Claim>> SqlStore::heartbeat(const WorkerId& id, const std::vector<PartitionProgress>& progress) {
  return write([&](sql::Transaction& transaction) -> Result<std::vector<Claim>> {
    TRY(const sql::Rows rows, transaction.query(R"(
      SELECT {micros heartbeat_at} AS heartbeat_at FROM export_workers WHERE id = $1 AND status = 'ALIVE' {lock})",
                                                {id}));
    if (rows.empty()) return fail(worker_lost(id));
    CHECK_OK(transaction.execute("UPDATE export_workers SET heartbeat_at = {now} WHERE id = $1", {id}));

    // In the order of jobs, so that two workers of the same jobs never wait for each other.
    std::vector<const PartitionProgress*> ordered;
    ordered.reserve(progress.size());
    for (const PartitionProgress& entry : progress) ordered.push_back(&entry);
    std::ranges::sort(
        ordered, {}, [](const PartitionProgress* entry) { return std::tie(entry->claim.job, entry->claim.partition); });
    std::vector<Claim> lost;
    std::set<JobId> progressed;
    for (const PartitionProgress* entry : ordered) {
      TRY(const bool held, record_progress(transaction, *entry));
      if (!held) lost.push_back(entry->claim);
      if (held && entry->claim.partition >= 0) progressed.insert(entry->claim.job);
    }
    for (const JobId& job : progressed) CHECK_OK(claims::raise_progress(transaction, job));
    CHECK_OK(add_ended_jobs(transaction, id, lost));
    CHECK_OK(release_abandoned(transaction, id, rows[0].time("heartbeat_at"), progress));
    return lost;
  });
}

Status SqlStore::retire_worker(const WorkerId& id) {
  return write([&](sql::Transaction& transaction) -> Status {
    CHECK_OK(transaction.query("SELECT id FROM export_workers WHERE id = $1 {lock}", {id}));
    TRY(const sql::Rows rows, transaction.query(kClaimsOfWorker, {id}));
    for (const Claim& claim : read_claims(rows)) {
      TRY(const claims::Standing standing, claims::standing(transaction, claim));
      if (!standing.held) continue;
      CHECK_OK(claims::release(transaction, claim, standing.purpose, standing.attempts - 1, Duration{}));
    }
    CHECK_OK(transaction.execute("DELETE FROM export_workers WHERE id = $1", {id}));
    return {};
  });
}

Result<std::vector<WorkerRecord>> SqlStore::workers() {
  return read([](sql::Transaction& transaction) -> Result<std::vector<WorkerRecord>> {
    TRY(const sql::Rows rows, transaction.query(R"(
      SELECT w.id, w.host, w.pid, w.status, {micros w.started_at} AS started_at, {micros w.heartbeat_at} AS heartbeat_at,
        (SELECT count(*) FROM export_job_partitions p WHERE p.worker_id = w.id AND p.status = 'RUNNING')
        + (SELECT count(*) FROM export_jobs j WHERE j.worker_id = w.id) AS claims
      FROM export_workers w ORDER BY w.started_at, w.id)"));
    std::vector<WorkerRecord> workers;
    workers.reserve(rows.size());
    for (const sql::Row row : rows) {
      workers.push_back({.id = WorkerId(row.text("id")),
                         .host = row.text("host"),
                         .pid = static_cast<int>(row.integer("pid")),
                         .started_at = row.time("started_at"),
                         .heartbeat_at = row.time("heartbeat_at"),
                         .alive = row.text("status") == "ALIVE",
                         .claims = static_cast<int>(row.integer("claims"))});
    }
    return workers;
  });
}

Result<int> SqlStore::free_lost_claims(Duration lease, const RetryPolicy& policy) {
  constexpr char kSilent[] =
      "SELECT id FROM export_workers WHERE status = 'ALIVE' AND heartbeat_at <= {later {now} | $1} {lock}";
  // Every process checks every few seconds and almost always finds nothing: then nothing is locked.
  TRY(const bool any, read([&](sql::Transaction& transaction) -> Result<bool> {
        TRY(const sql::Rows dead, transaction.query(claims::claims_of_the_dead()));
        TRY(const sql::Rows silent, transaction.query(R"(
          SELECT id FROM export_workers
          WHERE (status = 'ALIVE' AND heartbeat_at <= {later {now} | $1})
             OR (status = 'LOST' AND heartbeat_at <= {later {now} | $2}))",
                                                      {-lease, -kRememberLostWorkers}));
        return !dead.empty() || !silent.empty();
      }));
  if (!any) return 0;
  return write([&](sql::Transaction& transaction) -> Result<int> {
    TRY(const sql::Rows silent, transaction.query(kSilent, {-lease}));
    for (const sql::Row worker : silent) {
      CHECK_OK(transaction.execute("UPDATE export_workers SET status = 'LOST' WHERE id = $1", {worker.text("id")}));
    }
    TRY(const sql::Rows rows, transaction.query(claims::claims_of_the_dead()));
    int freed = 0;
    // One at a time: the first may fail its job, and the next of the same job is then judged by that.
    for (const Claim& claim : read_claims(rows)) {
      TRY(const claims::Standing standing, claims::standing(transaction, claim));
      if (!standing.held) continue;
      CHECK_OK(take_over(transaction, claim, standing, policy));
      ++freed;
    }
    CHECK_OK(
        transaction.execute("DELETE FROM export_workers WHERE status = 'LOST' AND heartbeat_at <= {later {now} | $1}",
                            {-kRememberLostWorkers}));
    return freed;
  });
}

}  // namespace longshore
