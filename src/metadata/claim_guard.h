#pragma once

#include <string>
#include <string_view>

#include "metadata/job_store.h"
#include "metadata/snapshot_store.h"
#include "metadata/sql.h"

/// What claims mean in the tables. A partition is claimed while its status is RUNNING; its worker_id outlives the
/// claim, to show who had it. A job itself is claimed while worker_id and claimed_for (plan, assemble, clean) are set.
namespace longshore::claims {

inline constexpr char kPlan[] = "plan";
inline constexpr char kExtract[] = "extract";
inline constexpr char kAssemble[] = "assemble";
inline constexpr char kClean[] = "clean";

/// What the store holds of a claim, read under lock at the beginning of a write, so that it stays true until its end.
struct Standing {
  bool held = false;        ///< the row is still this worker's, in this epoch
  bool wanted = false;      ///< held, and the job still wants the result: it is RUNNING, or final for cleaning
  std::string purpose;      ///< one of the four above; empty unless held
  int attempts = 0;         ///< including this one
  bool progressed = false;  ///< a part was checkpointed since the claim
  bool failing = false;     ///< the attempt before this one ended with an error
};
Result<Standing> standing(sql::Transaction& transaction, const Claim& claim);

/// `claim_lost`.
Error lost(const Claim& claim);

/// Frees a row that is held: a partition is PENDING again, a job unclaimed. `attempts` is what its counter becomes, and
/// it is claimable again after `delay`.
Status release(sql::Transaction& transaction, const Claim& claim, std::string_view purpose, int attempts,
               Duration delay);

/// QUEUED or RUNNING → `state`, with cleaning due if any work was ever begun; retention counts from now. A claim on the
/// job or its partitions stays until its worker lets go of it, and cleaning waits for that.
Status end_job(sql::Transaction& transaction, const JobId& job, JobState state, std::string_view error_code = {},
               std::string_view error_message = {});

/// RUNNING → FAILED for a partition, and with it its job.
Status fail_work(sql::Transaction& transaction, const Claim& claim, std::string_view error_code,
                 std::string_view error_message);

/// Raises the job's counts to what its partitions have reached; they never go back.
Status raise_progress(sql::Transaction& transaction, const JobId& job);

/// A worker that was declared lost may claim nothing: nobody watches over its lease any more. Error `worker_lost`.
Status require_alive(sql::Transaction& transaction, const WorkerId& worker);

/// Frees a keeper's seat if it is still the claim's, and settles what becomes of the job if it was the last one.
Status vacate_seat(sql::Transaction& transaction, const KeeperClaim& claim, std::string_view why);
/// What the job reads is gone, a snapshot or (`copied`) a copy: it begins again or fails, by its policy. Nothing unless
/// its partitions are being read.
Status lose_snapshot(sql::Transaction& transaction, const JobId& job, bool copied, std::string_view why);
/// All seats of a worker, and those of workers that are not alive: `worker_id`, `job_id`, `seat`, `epoch`.
inline constexpr char kSeatsOfWorker[] =
    "SELECT worker_id, job_id, seat, epoch FROM export_keepers WHERE worker_id = $1 ORDER BY job_id, seat";
inline constexpr char kSeatsOfTheDead[] = R"(
  SELECT k.worker_id, k.job_id, k.seat, k.epoch FROM export_keepers k
  WHERE k.worker_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM export_workers w WHERE w.id = k.worker_id AND w.status = 'ALIVE') ORDER BY k.job_id, k.seat)";
std::vector<KeeperClaim> read_seats(const sql::Rows& rows);
/// Forgets the keepers of a job that needs its snapshot no longer.
Status dismiss_keepers(sql::Transaction& transaction, const JobId& job);

/// How long to wait after the `attempt`-th failure (1-based).
Duration backoff(const RetryPolicy& policy, int attempt);

/// Of two times a claim may be lost to, the attempts that count: those since the last checkpoint. A partition that
/// came further is not failed by unrelated hiccups that lie hours apart.
inline int counted_attempts(const Standing& standing) {
  return standing.progressed ? 0 : standing.attempts;
}

}  // namespace longshore::claims
