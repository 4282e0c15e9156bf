#include <fmt/format.h>

#include "metadata/claim_guard.h"
#include "metadata/records.h"

namespace longshore::claims {
namespace {

/// A seat that was left is not taken again at once: what made its holder leave may still be so.
constexpr Duration kSeatDelay = std::chrono::seconds{1};
/// Before the second restart and those after it, a little longer each.
constexpr Duration kRestartDelay = std::chrono::seconds{1};

Status fail_job(sql::Transaction& transaction, const JobId& job, bool copied, int losses, SnapshotLoss policy,
                std::string_view why) {
  const std::string reason = policy == SnapshotLoss::fail
                                 ? "the catalog says that such an export fails (on_snapshot_loss: fail)"
                                 : fmt::format("it has begun again {} times already, which is the most", losses);
  if (copied) {
    return end_job(transaction, job, JobState::failed, "snapshot_lost",
                   fmt::format("the copy that this export reads is lost ({}), and {}; export it again", why, reason));
  }
  return end_job(transaction, job, JobState::failed, "snapshot_lost",
                 fmt::format("nobody keeps the snapshot any more that this export reads ({}), and {}; export it again, "
                             "with two workers or more if it takes long, or ask for another consistency",
                             why, reason));
}

/// Back to the plan, with nothing left of what was read. Whoever still works on a partition finds no row for his claim;
/// the partitions of the next plan begin above all epochs that were given out (stale_epoch), so that no old claim ever
/// fits a new row.
Status begin_again(sql::Transaction& transaction, const JobId& job, bool copied, int losses, std::string_view why) {
  const std::string message =
      fmt::format("the {} was lost ({}); the export begins again with a new one, restart {} of at most {}",
                  copied ? "copy" : "snapshot", why, losses, kMaxSnapshotRestarts);
  CHECK_OK(transaction.execute(R"(
    UPDATE export_jobs SET phase = 'plan', attempts = 0, not_before = {later {now} | $2}, snapshot = NULL,
      snapshot_losses = $3, stale_upload_id = coalesce(upload_id, stale_upload_id), upload_id = NULL, partition_count = 0,
      stale_epoch = coalesce((SELECT max(p.epoch) FROM export_job_partitions p WHERE p.job_id = $1), stale_epoch, 0),
      source_pressure = '', error_code = 'snapshot_lost', error_message = $4
    WHERE id = $1)",
                               {job, kRestartDelay * (losses - 1), losses, records::shorten(message, 4000)}));
  CHECK_OK(transaction.execute("DELETE FROM export_parts WHERE job_id = $1", {job}));
  CHECK_OK(transaction.execute("DELETE FROM export_job_partitions WHERE job_id = $1", {job}));
  return {};
}

}  // namespace

Status require_alive(sql::Transaction& transaction, const WorkerId& worker) {
  // Kept, not locked: all slots of a worker claim at once, and its heartbeat does not wait for them. Whoever declares
  // it lost locks the row, and so waits for claims that have begun; those that begin later see it.
  TRY(const sql::Rows rows,
      transaction.query("SELECT id FROM export_workers WHERE id = $1 AND status = 'ALIVE' {keep}", {worker}));
  if (!rows.empty()) return {};
  return fail(external_error("worker_lost",
                             fmt::format("worker {} is not registered: it was silent for longer than its lease, or has "
                                         "retired; register a new id",
                                         worker.str()),
                             false));
}

Status vacate_seat(sql::Transaction& transaction, const KeeperClaim& claim, std::string_view why) {
  TRY(const sql::Rows jobs, transaction.query(R"(
    SELECT status, phase FROM export_jobs WHERE id = $1 {lock})",
                                              {claim.job}));
  TRY(const std::int64_t freed, transaction.execute(R"(
    UPDATE export_keepers SET worker_id = NULL, snapshot_id = NULL, not_before = {later {now} | $5}
    WHERE job_id = $1 AND seat = $2 AND worker_id = $3 AND epoch = $4)",
                                                    {claim.job, claim.seat, claim.worker, claim.epoch, kSeatDelay}));
  if (freed == 0 || jobs.empty()) return {};
  if (jobs[0].text("status") != "RUNNING" || jobs[0].text("phase") != kExtract) return {};
  // Somebody who is importing right now may have it already: only when he leaves too it is lost.
  TRY(const sql::Rows held, transaction.query(R"(
    SELECT count(*) AS seats FROM export_keepers WHERE job_id = $1 AND worker_id IS NOT NULL)",
                                              {claim.job}));
  if (held[0].integer("seats") > 0) return {};
  return lose_snapshot(transaction, claim.job, false, why);
}

Status lose_snapshot(sql::Transaction& transaction, const JobId& job, bool copied, std::string_view why) {
  TRY(const sql::Rows jobs, transaction.query(R"(
    SELECT status, phase, snapshot_losses, snapshot_policy FROM export_jobs WHERE id = $1 {lock})",
                                              {job}));
  if (jobs.empty() || jobs[0].text("status") != "RUNNING" || jobs[0].text("phase") != kExtract) return {};
  const int losses = static_cast<int>(jobs[0].integer("snapshot_losses"));
  const bool fails = jobs[0].text("snapshot_policy") == to_string(SnapshotLoss::fail);
  if (fails || losses >= kMaxSnapshotRestarts) {
    return fail_job(transaction, job, copied, losses, fails ? SnapshotLoss::fail : SnapshotLoss::restart, why);
  }
  return begin_again(transaction, job, copied, losses + 1, why);
}

std::vector<KeeperClaim> read_seats(const sql::Rows& rows) {
  std::vector<KeeperClaim> seats;
  seats.reserve(rows.size());
  for (const sql::Row row : rows) {
    seats.push_back({.worker = WorkerId(row.text("worker_id")),
                     .job = JobId(row.text("job_id")),
                     .seat = static_cast<int>(row.integer("seat")),
                     .epoch = row.integer("epoch")});
  }
  return seats;
}

Status dismiss_keepers(sql::Transaction& transaction, const JobId& job) {
  CHECK_OK(transaction.execute("DELETE FROM export_keepers WHERE job_id = $1", {job}));
  return {};
}

}  // namespace longshore::claims
