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

void sort_by_lock_order(std::vector<Claim>& claims) {
  std::ranges::sort(claims, {}, [](const Claim& claim) { return std::tie(claim.job, claim.partition); });
}

/// Records the progress of one claim; false when the claim is lost.
Result<bool> record_progress(sql::Transaction& transaction, const PartitionProgress& progress) {
  TRY(const claims::Standing standing, claims::standing(transaction, progress.claim));
  if (!standing.wanted) return false;
  if (progress.claim.partition < 0) {
    if (standing.purpose != claims::kPlan) return true;
    // Partitions say it for a job that has some; one that is being planned has none.
    CHECK_OK(transaction.execute("UPDATE export_jobs SET source_pressure = $2 WHERE id = $1 AND source_pressure <> $2",
                                 {progress.claim.job, progress.source_pressure}));
    return true;
  }
  CHECK_OK(transaction.execute(
      R"(
    UPDATE export_job_partitions SET live_rows = $3, live_bytes = $4, source_pressure = $5
    WHERE job_id = $1 AND partition_index = $2)",
      {progress.claim.job, progress.claim.partition, progress.rows, progress.bytes, progress.source_pressure}));
  return true;
}

/// Claims that the worker did not list. One on a job that has ended meanwhile is lost to it. One that it had at its
/// previous heartbeat already is no work of its any more, so it goes to others: the answer to the claim never came, or
/// the write that should have ended it failed, or its job was ended by others and the worker has let go.
Status settle_unlisted(sql::Transaction& transaction, const WorkerId& id, Timestamp previous,
                       const std::vector<PartitionProgress>& listed, std::vector<Claim>& lost) {
  TRY(const sql::Rows rows, transaction.query(R"(
    SELECT p.worker_id, p.job_id, p.partition_index, p.epoch, 0 AS ended,
      CASE WHEN coalesce(p.claimed_at, {time 0}) < {time $2} THEN 1 ELSE 0 END AS known
    FROM export_job_partitions p WHERE p.worker_id = $1 AND p.status = 'RUNNING'
    UNION ALL
    SELECT j.worker_id, j.id, -1, j.epoch, CASE WHEN j.claimed_for <> 'clean' AND j.status <> 'RUNNING' THEN 1 ELSE 0 END,
      CASE WHEN coalesce(j.claimed_at, {time 0}) < {time $2} THEN 1 ELSE 0 END
    FROM export_jobs j WHERE j.worker_id = $1)",
                                              {id, previous}));
  std::vector<Claim> abandoned;
  for (const sql::Row row : rows) {
    const Claim claim = read_claim(row);
    if (std::ranges::any_of(listed, [&](const PartitionProgress& p) { return same_row(p.claim, claim); })) continue;
    if (row.flag("known")) {
      abandoned.push_back(claim);
    } else if (row.flag("ended")) {
      lost.push_back(claim);
    }
  }
  sort_by_lock_order(abandoned);
  for (const Claim& claim : abandoned) {
    // Looked at again under lock: a slot of this very worker may be ending it now.
    TRY(const claims::Standing standing, claims::standing(transaction, claim));
    if (!standing.held) continue;
    CHECK_OK(claims::release(transaction, claim, standing.purpose, standing.attempts, Duration{}));
  }
  return {};
}

/// All claims of one worker.
constexpr char kClaimsOfWorker[] = R"(
  SELECT worker_id, job_id, partition_index, epoch FROM export_job_partitions WHERE worker_id = $1 AND status = 'RUNNING'
  UNION ALL
  SELECT worker_id, id, -1, epoch FROM export_jobs WHERE worker_id = $1)";

std::vector<Claim> read_claims(const sql::Rows& rows) {
  std::vector<Claim> claims;
  claims.reserve(rows.size());
  for (const sql::Row row : rows) claims.push_back(read_claim(row));
  sort_by_lock_order(claims);
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
      SELECT {micros heartbeat_at} AS heartbeat_at FROM export_workers WHERE id = $1 AND status = 'ALIVE' {lock_kept})",
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
    CHECK_OK(settle_unlisted(transaction, id, rows[0].time("heartbeat_at"), progress, lost));
    return lost;
  });
}

Result<bool> SqlStore::hold_office(const std::string& office, const std::string& holder, Duration length) {
  return write([&](sql::Transaction& transaction) -> Result<bool> {
    TRY(const std::int64_t taken, transaction.execute(R"(
      INSERT INTO export_offices (name, holder, held_until) VALUES ($1, $2, {later {now} | $3})
      ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
      WHERE export_offices.holder = excluded.holder OR export_offices.held_until <= {now})",
                                                      {office, holder, length}));
    return taken == 1;
  });
}

Status SqlStore::leave_office(const std::string& office, const std::string& holder) {
  return write([&](sql::Transaction& transaction) -> Status {
    CHECK_OK(transaction.execute("DELETE FROM export_offices WHERE name = $1 AND holder = $2", {office, holder}));
    return {};
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
    TRY(const sql::Rows seats, transaction.query(claims::kSeatsOfWorker, {id}));
    for (const KeeperClaim& seat : claims::read_seats(seats)) {
      CHECK_OK(claims::vacate_seat(transaction, seat, "worker " + id.str() + ", which kept it, was shut down"));
    }
    CHECK_OK(transaction.execute("DELETE FROM export_workers WHERE id = $1", {id}));
    return {};
  });
}

Result<std::vector<WorkerRecord>> SqlStore::workers() {
  return look_up([](sql::Transaction& transaction) -> Result<std::vector<WorkerRecord>> {
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
  // In an order, so that two that look at once do not wait for each other.
  constexpr char kSilent[] =
      "SELECT id FROM export_workers WHERE status = 'ALIVE' AND heartbeat_at <= {later {now} | $1} ORDER BY id {lock}";
  // Every process checks every few seconds and almost always finds nothing: then nothing is locked.
  TRY(const bool any_silent, look_up([&](sql::Transaction& transaction) -> Result<bool> {
        TRY(const sql::Rows rows, transaction.query(R"(
          SELECT id FROM export_workers
          WHERE (status = 'ALIVE' AND heartbeat_at <= {later {now} | $1})
             OR (status = 'LOST' AND heartbeat_at <= {later {now} | $2}))",
                                                    {-lease, -kRememberLostWorkers}));
        return !rows.empty();
      }));
  TRY(const bool held_by_the_dead, look_up([](sql::Transaction& transaction) -> Result<bool> {
        TRY(const sql::Rows rows, transaction.query(claims::claims_of_the_dead()));
        return !rows.empty();
      }));
  TRY(const bool kept_by_the_dead, look_up([](sql::Transaction& transaction) -> Result<bool> {
        TRY(const sql::Rows rows, transaction.query(claims::kSeatsOfTheDead));
        return !rows.empty();
      }));
  if (!any_silent && !held_by_the_dead && !kept_by_the_dead) return 0;
  return write([&](sql::Transaction& transaction) -> Result<int> {
    TRY(const sql::Rows silent, transaction.query(kSilent, {-lease}));
    for (const sql::Row worker : silent) {
      CHECK_OK(transaction.execute("UPDATE export_workers SET status = 'LOST' WHERE id = $1", {worker.text("id")}));
    }
    // Seats first: a snapshot that is lost takes its partitions with it, and so the claims on them.
    TRY(const sql::Rows dead_seats, transaction.query(claims::kSeatsOfTheDead));
    const std::vector<KeeperClaim> seats = claims::read_seats(dead_seats);
    for (const KeeperClaim& seat : seats) {
      CHECK_OK(claims::vacate_seat(transaction, seat,
                                   "worker " + seat.worker.str() + ", which kept it, was silent for its lease"));
    }
    TRY(const sql::Rows rows, transaction.query(claims::claims_of_the_dead()));
    int freed = static_cast<int>(seats.size());
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
