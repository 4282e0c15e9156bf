#include <fmt/format.h>

#include <algorithm>

#include "metadata/claim_guard.h"
#include "metadata/plan_record.h"
#include "metadata/records.h"
#include "metadata/sql_store.h"

namespace longshore {
namespace {

/// How long readers leave the connections to a second keeper.
constexpr Duration kHeadStart = std::chrono::seconds{3};
/// Of export_keepers.source.
constexpr std::size_t kSourceCharacters = 64;

Error seat_lost(const KeeperClaim& claim) {
  return external_error("claim_lost",
                        fmt::format("worker {} no longer keeps the snapshot of export {} (seat {}, epoch {})",
                                    claim.worker.str(), claim.job.str(), claim.seat, claim.epoch),
                        false);
}

/// Whether the claim of a plan stands. One whose job has ended is let go of, since its worker stands in this very call.
Result<bool> plan_stands(sql::Transaction& transaction, const Claim& claim, const claims::Standing& standing) {
  if (standing.wanted && standing.purpose == claims::kPlan) return true;
  if (standing.held && !standing.wanted) {
    CHECK_OK(claims::release(transaction, claim, standing.purpose, standing.attempts, Duration{}));
  }
  return false;
}

/// The job as long as its partitions are being read; nullopt when not, or when somebody is changing it.
Result<std::optional<ExportJob>> hold_extracting_job(sql::Transaction& transaction, const JobId& id) {
  static const std::string kSelect = fmt::format(
      "SELECT {} FROM export_jobs WHERE id = $1 AND status = 'RUNNING' AND phase = 'extract' {{share_skip_locked}}",
      records::kJobColumns);
  TRY(const sql::Rows rows, transaction.query(kSelect, {id}));
  if (rows.empty()) return std::nullopt;
  TRY(auto job, records::read_job(rows[0]));
  return job;
}

Result<std::vector<std::string>> read_importable(sql::Transaction& transaction, const JobId& job) {
  TRY(const sql::Rows rows, transaction.query(R"(
    SELECT snapshot_id FROM export_keepers WHERE job_id = $1 AND snapshot_id IS NOT NULL ORDER BY seat)",
                                              {job}));
  std::vector<std::string> ids;
  ids.reserve(rows.size());
  for (const sql::Row row : rows) ids.push_back(row.text("snapshot_id"));
  return ids;
}

/// Copies are made one at a time, whatever snapshots are kept. (No source has a name with a blank.)
std::string places_for_copies(const std::string& source) {
  return "copy " + source.substr(0, kSourceCharacters - 5);
}

std::string why_full(bool copied, const std::string& source) {
  if (copied) return "paused: waits until the rows of another export of source " + source + " are copied";
  return "paused: waits for another snapshot export of source " + source + " to end, since each keeps connections";
}

/// Serializes those who ask for a place at a source: each locks the row until it has taken one.
Status lock_places(sql::Transaction& transaction, const std::string& source) {
  CHECK_OK(transaction.execute(R"(
    INSERT INTO export_offices (name, holder, held_until) VALUES ($1, '', {now})
    ON CONFLICT (name) DO UPDATE SET holder = '')",
                               {"snapshots of " + source.substr(0, 48)}));
  return {};
}

/// The first seat of a new plan, kept by its planner. Rows of a snapshot that was lost are still there, so that epochs
/// rise.
Result<KeeperClaim> take_first_seat(sql::Transaction& transaction, const Claim& claim, const SnapshotPlan& plan) {
  TRY(const sql::Rows taken, transaction.query(R"(
    UPDATE export_keepers SET worker_id = $2, epoch = epoch + 1, snapshot_id = $3 WHERE job_id = $1 AND seat = 0
    RETURNING epoch)",
                                               {claim.job, claim.worker, plan.snapshot.id}));
  if (taken.empty()) {
    return fail(internal_error("bad_plan", "a snapshot was planned without a place: reserve_snapshot() comes first"));
  }
  return KeeperClaim{.worker = claim.worker, .job = claim.job, .seat = 0, .epoch = taken[0].integer("epoch")};
}

Status offer_second_seat(sql::Transaction& transaction, const JobId& job) {
  CHECK_OK(transaction.execute(R"(
    INSERT INTO export_keepers (job_id, seat, source, epoch, not_before)
    SELECT job_id, 1, source, 0, {now} FROM export_keepers WHERE job_id = $1 AND seat = 0
    ON CONFLICT (job_id, seat) DO UPDATE SET worker_id = NULL, snapshot_id = NULL, not_before = excluded.not_before)",
                               {job}));
  CHECK_OK(transaction.execute(R"(
    UPDATE export_job_partitions SET not_before = {later {now} | $2}
    WHERE job_id = $1 AND (SELECT count(*) FROM export_workers WHERE status = 'ALIVE') > 1)",
                               {job, kHeadStart}));
  return {};
}

/// What was shown of the progress must not fall after a restart: rows stay at the highest seen, and what they are
/// compared with does not grow.
Result<std::int64_t> estimate_to_show(sql::Transaction& transaction, const JobId& job, std::int64_t estimated) {
  TRY(const sql::Rows rows,
      transaction.query("SELECT estimated_rows, snapshot_losses FROM export_jobs WHERE id = $1", {job}));
  const std::int64_t shown = rows[0].integer("estimated_rows");
  return rows[0].integer("snapshot_losses") > 0 && shown > 0 ? std::min(estimated, shown) : estimated;
}

}  // namespace

Result<bool> SqlStore::reserve_snapshot(const Claim& claim, int limit, Duration delay) {
  enum class Outcome { lost, full, reserved };
  TRY(const Outcome outcome, write([&](sql::Transaction& transaction) -> Result<Outcome> {
        TRY(const claims::Standing standing, claims::standing(transaction, claim));
        TRY(const bool stands, plan_stands(transaction, claim, standing));
        if (!stands) return Outcome::lost;
        static const std::string kSelect =
            fmt::format("SELECT {} FROM export_jobs WHERE id = $1", records::kJobColumns);
        TRY(const sql::Rows rows, transaction.query(kSelect, {claim.job}));
        TRY(const ExportJob job, records::read_job(rows[0]));
        const bool copied = job.spec.consistency == Consistency::materialized;
        const std::string& source = job.spec.dataset.source;
        const std::string places = copied ? places_for_copies(source) : source;
        CHECK_OK(lock_places(transaction, places));
        TRY(const sql::Rows others, transaction.query(R"(
          SELECT count(DISTINCT job_id) AS jobs FROM export_keepers WHERE source = $1 AND job_id <> $2)",
                                                      {places, claim.job}));
        const bool full = others[0].integer("jobs") >= limit;
        if (full) {
          CHECK_OK(claims::release(transaction, claim, standing.purpose, standing.attempts - 1, delay));
          CHECK_OK(transaction.execute("UPDATE export_jobs SET source_pressure = $2 WHERE id = $1",
                                       {claim.job, why_full(copied, source)}));
          return Outcome::full;
        }
        CHECK_OK(transaction.execute("UPDATE export_jobs SET source_pressure = '' WHERE id = $1", {claim.job}));
        CHECK_OK(transaction.execute(R"(
          INSERT INTO export_keepers (job_id, seat, source, epoch, not_before) VALUES ($1, 0, $2, 0, {now})
          ON CONFLICT (job_id, seat) DO NOTHING)",
                                     {claim.job, places}));
        CHECK_OK(transaction.execute("UPDATE export_jobs SET source_pressure = '' WHERE id = $1", {claim.job}));
        return Outcome::reserved;
      }));
  if (outcome == Outcome::lost) return fail(claims::lost(claim));
  return outcome == Outcome::reserved;
}

Result<std::optional<KeeperClaim>> SqlStore::save_snapshot_plan(const Claim& claim, const SnapshotPlan& plan) {
  CHECK_OK(plans::check(claim.job, plan.partitions));
  struct Outcome {
    bool saved = false;
    std::optional<KeeperClaim> keeper;
  };
  TRY(Outcome outcome, write([&](sql::Transaction& transaction) -> Result<Outcome> {
        TRY(const claims::Standing standing, claims::standing(transaction, claim));
        TRY(const bool stands, plan_stands(transaction, claim, standing));
        if (!stands) return Outcome{};
        TRY(const std::int64_t rows, estimate_to_show(transaction, claim.job, plan.estimated_rows));
        CHECK_OK(plans::save(transaction, claim, plan.partitions, plan.part_size, rows));
        CHECK_OK(transaction.execute(R"(
          UPDATE export_job_partitions SET epoch = (SELECT coalesce(stale_epoch, 0) FROM export_jobs WHERE id = $1)
          WHERE job_id = $1)",
                                     {claim.job}));
        CHECK_OK(transaction.execute("UPDATE export_jobs SET snapshot = $2, snapshot_policy = $3 WHERE id = $1",
                                     {claim.job, to_json(plan.snapshot), to_string(plan.on_loss)}));
        if (plan.partitions.empty() || plan.seats < 1) {
          CHECK_OK(claims::dismiss_keepers(transaction, claim.job));
          return Outcome{true, std::nullopt};
        }
        TRY(const KeeperClaim keeper, take_first_seat(transaction, claim, plan));
        if (plan.seats > 1) CHECK_OK(offer_second_seat(transaction, claim.job));
        return Outcome{true, keeper};
      }));
  if (!outcome.saved) return fail(claims::lost(claim));
  return std::move(outcome.keeper);
}

Result<std::optional<KeeperWork>> SqlStore::claim_keeper(const WorkerId& worker) {
  constexpr char kVacant[] = R"(
    SELECT k.job_id, k.seat FROM export_keepers k
    WHERE k.worker_id IS NULL AND k.not_before <= {now} AND EXISTS (
      SELECT 1 FROM export_keepers o
      WHERE o.job_id = k.job_id AND o.seat <> k.seat AND o.snapshot_id IS NOT NULL AND o.worker_id <> $1)
    ORDER BY k.job_id LIMIT 4)";
  TRY(const bool any, look_up([&](sql::Transaction& transaction) -> Result<bool> {
        TRY(const sql::Rows rows, transaction.query(kVacant, {worker}));
        return !rows.empty();
      }));
  if (!any) return std::nullopt;
  return write([&](sql::Transaction& transaction) -> Result<std::optional<KeeperWork>> {
    CHECK_OK(claims::require_alive(transaction, worker));
    TRY(const sql::Rows vacant, transaction.query(kVacant, {worker}));
    for (const sql::Row seat : vacant) {
      const JobId job(seat.text("job_id"));
      auto held = hold_extracting_job(transaction, job);
      // A record that this build cannot read is for workers of another release.
      if (!held && held.error().source == ErrorSource::internal) continue;
      if (!held) return fail(std::move(held).error());
      if (!*held) continue;
      TRY(const sql::Rows taken, transaction.query(R"(
        UPDATE export_keepers SET worker_id = $3, epoch = epoch + 1, snapshot_id = NULL
        WHERE job_id = $1 AND seat = $2 AND worker_id IS NULL RETURNING epoch)",
                                                   {job, seat.integer("seat"), worker}));
      if (taken.empty()) continue;
      KeeperWork work;
      work.claim = {.worker = worker,
                    .job = job,
                    .seat = static_cast<int>(seat.integer("seat")),
                    .epoch = taken[0].integer("epoch")};
      work.job = **std::move(held);
      TRY(work.importable, read_importable(transaction, job));
      return std::optional(std::move(work));
    }
    return std::nullopt;
  });
}

Status SqlStore::keep(const KeeperClaim& claim, const std::string& snapshot_id) {
  TRY(const bool kept, write([&](sql::Transaction& transaction) -> Result<bool> {
        CHECK_OK(transaction.query("SELECT status FROM export_jobs WHERE id = $1 {lock}", {claim.job}));
        TRY(const std::int64_t changed,
            transaction.execute(R"(
              UPDATE export_keepers SET snapshot_id = $5
              WHERE job_id = $1 AND seat = $2 AND worker_id = $3 AND epoch = $4)",
                                {claim.job, claim.seat, claim.worker, claim.epoch, snapshot_id}));
        if (changed == 0) return false;
        // What waited for this keeper goes on; what failed before keeps its backoff.
        CHECK_OK(transaction.execute(R"(
          UPDATE export_job_partitions SET not_before = {now}
          WHERE job_id = $1 AND status = 'PENDING' AND attempts = 0 AND not_before > {now})",
                                     {claim.job}));
        return true;
      }));
  if (!kept) return fail(seat_lost(claim));
  return {};
}

Status SqlStore::leave_keeper(const KeeperClaim& claim, const std::string& why) {
  return write([&](sql::Transaction& transaction) { return claims::vacate_seat(transaction, claim, why); });
}

Result<std::vector<KeeperClaim>> SqlStore::keepers_of(const WorkerId& worker) {
  return look_up([&](sql::Transaction& transaction) -> Result<std::vector<KeeperClaim>> {
    TRY(const sql::Rows rows, transaction.query(claims::kSeatsOfWorker, {worker}));
    return claims::read_seats(rows);
  });
}

Result<std::vector<std::string>> SqlStore::importable_snapshots(const JobId& job) {
  return look_up([&](sql::Transaction& transaction) { return read_importable(transaction, job); });
}

Status SqlStore::lose_copy(const Claim& claim, const std::string& why) {
  return lose(claim, true, why);
}

Status SqlStore::lose_moment(const Claim& claim, const std::string& why) {
  return lose(claim, false, why);
}

Status SqlStore::note_moment(const Claim& claim, const ExportSnapshot& moment) {
  TRY(const bool stood, write([&](sql::Transaction& transaction) -> Result<bool> {
        TRY(const claims::Standing standing, claims::standing(transaction, claim));
        if (!standing.wanted || standing.purpose != claims::kExtract) return false;
        CHECK_OK(
            transaction.execute("UPDATE export_jobs SET snapshot = $2 WHERE id = $1", {claim.job, to_json(moment)}));
        return true;
      }));
  if (!stood) return fail(claims::lost(claim));
  return {};
}

Status SqlStore::lose(const Claim& claim, bool copied, const std::string& why) {
  TRY(const bool stood, write([&](sql::Transaction& transaction) -> Result<bool> {
        TRY(const claims::Standing standing, claims::standing(transaction, claim));
        if (!standing.wanted || standing.purpose != claims::kExtract) return false;
        CHECK_OK(claims::lose_snapshot(transaction, claim.job, copied, why));
        return true;
      }));
  if (!stood) return fail(claims::lost(claim));
  return {};
}

Result<std::string> SqlStore::deployment() {
  return look_up([&](sql::Transaction& transaction) -> Result<std::string> {
    TRY(const sql::Rows rows, transaction.query("SELECT id FROM export_deployment"));
    if (rows.empty()) return fail(internal_error("bad_schema", "the table export_deployment has no row"));
    return rows[0].text("id");
  });
}

}  // namespace longshore
