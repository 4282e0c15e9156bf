#include <fmt/format.h>
#include <boost/json.hpp>

#include "base/random.h"
#include "metadata/claim_guard.h"
#include "metadata/plan_record.h"
#include "metadata/records.h"
#include "metadata/sql_store.h"

namespace longshore {
namespace {

using claims::Standing;

/// An error that a retry left on the job is history once the work goes on.
Status clear_error(sql::Transaction& transaction, const JobId& job) {
  CHECK_OK(transaction.execute("UPDATE export_jobs SET error_code = NULL, error_message = NULL WHERE id = $1", {job}));
  return {};
}

Status keep_error(sql::Transaction& transaction, const JobId& job, const Error& error) {
  CHECK_OK(transaction.execute("UPDATE export_jobs SET error_code = $2, error_message = $3 WHERE id = $1",
                               {job, records::shorten(error.code, 128), records::shorten(error.message, 4000)}));
  return {};
}

/// A partition that moves on after a failure clears that failure from its job.
Status note_recovery(sql::Transaction& transaction, const Claim& claim, const Standing& standing) {
  if (!standing.failing) return {};
  CHECK_OK(
      transaction.execute("UPDATE export_job_partitions SET failing = 0 WHERE job_id = $1 AND partition_index = $2",
                          {claim.job, claim.partition}));
  return clear_error(transaction, claim.job);
}

/// Parts are numbered without gaps, so the next sequence is the number of parts there are.
Status require_next(sql::Transaction& transaction, const Claim& claim, const Part& part) {
  TRY(const sql::Rows rows,
      transaction.query("SELECT count(*) AS parts FROM export_parts WHERE job_id = $1 AND partition_index = $2",
                        {claim.job, claim.partition}));
  const std::int64_t next = rows[0].integer("parts");
  if (part.sequence == next) return {};
  return fail(internal_error(part.sequence < next ? "duplicate_part" : "part_out_of_order",
                             fmt::format("part {} of partition {} of export {} cannot be recorded: the next one is {}",
                                         part.sequence, claim.partition, claim.job.str(), next)));
}

/// Moves the job on to assembly when its last partition is complete.
Status finish_extraction(sql::Transaction& transaction, const JobId& job) {
  TRY(const std::int64_t finished, transaction.execute(R"(
    UPDATE export_jobs SET phase = 'assemble', attempts = 0, not_before = {now}, source_pressure = ''
    WHERE id = $1 AND NOT EXISTS (
      SELECT 1 FROM export_job_partitions p WHERE p.job_id = $1 AND p.status <> 'COMPLETED'))",
                                                       {job}));
  return finished == 0 ? Status() : claims::dismiss_keepers(transaction, job);
}

/// Cleaning is retried for ever: what it left would cost money and show data that should be gone.
Status retry_cleaning(sql::Transaction& transaction, const Claim& claim, const Standing& standing, const Error& error,
                      const RetryPolicy& policy) {
  CHECK_OK(transaction.execute("UPDATE export_jobs SET cleaning_error = $2 WHERE id = $1",
                               {claim.job, records::shorten(error.code + ": " + error.message, 4000)}));
  return claims::release(transaction, claim, claims::kClean, standing.attempts,
                         claims::backoff(policy, standing.attempts));
}

/// Whether the job has failed with this.
Result<bool> retry_or_fail(sql::Transaction& transaction, const Claim& claim, const Standing& standing,
                           const Error& error, const RetryPolicy& policy) {
  const int attempts = claims::counted_attempts(standing);
  if (!error.retriable || attempts >= policy.max_attempts) {
    CHECK_OK(claims::fail_work(transaction, claim, error.code, error.message));
    return true;
  }
  CHECK_OK(keep_error(transaction, claim.job, error));
  CHECK_OK(claims::release(transaction, claim, standing.purpose, attempts, claims::backoff(policy, attempts)));
  if (standing.purpose == claims::kExtract) {
    CHECK_OK(
        transaction.execute("UPDATE export_job_partitions SET failing = 1 WHERE job_id = $1 AND partition_index = $2",
                            {claim.job, claim.partition}));
  }
  return false;
}

/// A glued part is progress of the assembly: earlier failures count no more.
Status note_assembly_progress(sql::Transaction& transaction, const JobId& job) {
  CHECK_OK(transaction.execute(
      "UPDATE export_jobs SET attempts = 0, error_code = NULL, error_message = NULL WHERE id = $1", {job}));
  return {};
}

Status complete(sql::Transaction& transaction, const Claim& claim, std::int64_t rows, std::int64_t bytes) {
  CHECK_OK(transaction.execute(R"(
    UPDATE export_job_partitions SET status = 'COMPLETED', completed_at = {now}, row_count = $3, byte_count = $4,
      live_rows = $3, live_bytes = $4, source_pressure = '', failing = 0
    WHERE job_id = $1 AND partition_index = $2)",
                               {claim.job, claim.partition, rows, bytes}));
  return {};
}

Status succeed(sql::Transaction& transaction, const JobId& job, const Artefact& artefact) {
  CHECK_OK(transaction.execute(R"(
    UPDATE export_jobs SET row_count = $2, byte_count = $3, worker_id = NULL, claimed_for = NULL WHERE id = $1)",
                               {job, artefact.rows, artefact.bytes}));
  return claims::end_job(transaction, job, JobState::succeeded);
}

}  // namespace

/// Runs `body(transaction, standing)` if the claim stands and is for `purpose`. A claim on a job that has ended
/// meanwhile is `claim_lost`; one on the job itself ends with that, since its worker stands in this very call.
template <class Body>
Status SqlStore::guarded(const Claim& claim, std::string_view purpose, Body&& body) {
  TRY(const bool done, write([&](sql::Transaction& transaction) -> Result<bool> {
        TRY(const Standing standing, claims::standing(transaction, claim));
        if (standing.wanted && standing.purpose == purpose) {
          CHECK_OK(body(transaction, standing));
          return true;
        }
        if (standing.held && !standing.wanted && claim.partition < 0) {
          CHECK_OK(claims::release(transaction, claim, standing.purpose, standing.attempts, Duration{}));
        }
        return false;
      }));
  if (!done) return fail(claims::lost(claim));
  return {};
}

Status SqlStore::save_upload(const Claim& claim, const std::string& upload_id) {
  return guarded(claim, claims::kPlan, [&](sql::Transaction& transaction, const Standing&) -> Status {
    CHECK_OK(transaction.execute("UPDATE export_jobs SET upload_id = $2 WHERE id = $1",
                                 {claim.job, sql::null_if_empty(upload_id)}));
    return {};
  });
}

Status SqlStore::save_plan(const Claim& claim, const std::vector<Partition>& partitions, std::int64_t part_size,
                           std::int64_t estimated_rows) {
  CHECK_OK(plans::check(claim.job, partitions));
  return guarded(claim, claims::kPlan, [&](sql::Transaction& transaction, const Standing&) {
    return plans::save(transaction, claim, partitions, part_size, estimated_rows);
  });
}

Status SqlStore::checkpoint(const Claim& claim, const Part& part) {
  const std::string_view purpose = claim.partition < 0 ? claims::kAssemble : claims::kExtract;
  return guarded(claim, purpose, [&](sql::Transaction& transaction, const Standing& standing) -> Status {
    CHECK_OK(require_next(transaction, claim, part));
    CHECK_OK(records::insert_part(transaction, claim, part));
    if (claim.partition < 0) return note_assembly_progress(transaction, claim.job);
    CHECK_OK(transaction.execute(R"(
      UPDATE export_job_partitions SET row_count = row_count + $3, byte_count = byte_count + $4, progressed = 1
      WHERE job_id = $1 AND partition_index = $2)",
                                 {claim.job, claim.partition, part.summary.rows, part.bytes}));
    return note_recovery(transaction, claim, standing);
  });
}

Status SqlStore::complete_partition(const Claim& claim, std::int64_t rows, std::int64_t bytes) {
  return guarded(claim, claims::kExtract, [&](sql::Transaction& transaction, const Standing& standing) -> Status {
    CHECK_OK(note_recovery(transaction, claim, standing));
    CHECK_OK(complete(transaction, claim, rows, bytes));
    CHECK_OK(claims::raise_progress(transaction, claim.job));
    return finish_extraction(transaction, claim.job);
  });
}

Status SqlStore::complete_and_publish(const Claim& claim, std::int64_t rows, const Artefact& artefact) {
  return guarded(claim, claims::kExtract, [&](sql::Transaction& transaction, const Standing&) -> Status {
    TRY(const sql::Rows others, transaction.query(R"(
      SELECT count(*) AS n FROM export_job_partitions WHERE job_id = $1 AND partition_index <> $2)",
                                                  {claim.job, claim.partition}));
    if (others[0].integer("n") != 0) {
      return fail(internal_error(
          "bad_publish", fmt::format("export {} has more than the one partition that is its file", claim.job.str())));
    }
    CHECK_OK(complete(transaction, claim, rows, artefact.bytes));
    return succeed(transaction, claim.job, artefact);
  });
}

Status SqlStore::publish(const Claim& claim, const Artefact& artefact) {
  return guarded(claim, claims::kAssemble, [&](sql::Transaction& transaction, const Standing&) -> Status {
    return succeed(transaction, claim.job, artefact);
  });
}

Status SqlStore::mark_clean(const Claim& claim) {
  return guarded(claim, claims::kClean, [&](sql::Transaction& transaction, const Standing&) -> Status {
    CHECK_OK(transaction.execute(R"(
      UPDATE export_jobs SET needs_cleaning = 0, cleaning_error = NULL, worker_id = NULL, claimed_for = NULL WHERE id = $1)",
                                 {claim.job}));
    return {};
  });
}

Result<bool> SqlStore::give_up(const Claim& claim, const Error& error, const RetryPolicy& policy) {
  enum class Outcome { lost, released, failed };
  TRY(const Outcome outcome, write([&](sql::Transaction& transaction) -> Result<Outcome> {
        TRY(const Standing standing, claims::standing(transaction, claim));
        if (!standing.held) return Outcome::lost;
        if (!standing.wanted) {
          // The job has ended. That its worker lets go is what cleaning waits for.
          CHECK_OK(claims::release(transaction, claim, standing.purpose, standing.attempts, Duration{}));
          return Outcome::lost;
        }
        if (standing.purpose == claims::kClean) {
          CHECK_OK(retry_cleaning(transaction, claim, standing, error, policy));
          return Outcome::released;
        }
        TRY(const bool failed, retry_or_fail(transaction, claim, standing, error, policy));
        return failed ? Outcome::failed : Outcome::released;
      }));
  if (outcome == Outcome::lost) return fail(claims::lost(claim));
  return outcome == Outcome::failed;
}

Status SqlStore::hand_back(const Claim& claim) {
  TRY(const bool wanted, write([&](sql::Transaction& transaction) -> Result<bool> {
        TRY(const Standing standing, claims::standing(transaction, claim));
        if (!standing.held) return false;
        CHECK_OK(claims::release(transaction, claim, standing.purpose, standing.attempts - 1, Duration{}));
        return standing.wanted;
      }));
  if (!wanted) return fail(claims::lost(claim));
  return {};
}

Result<int> SqlStore::expire_due() {
  // In small transactions: a sweep after a long pause may find thousands, and other writers wait meanwhile.
  int expired = 0;
  while (true) {
    // As in expire(): cleaning that is under way has seen a file that was still to be kept.
    TRY(const std::int64_t changed, write([](sql::Transaction& transaction) {
          return transaction.execute(R"(
            UPDATE export_jobs SET status = 'EXPIRED', needs_cleaning = 1, cleaning_attempts = 0, not_before = {now},
              worker_id = NULL, claimed_for = NULL, epoch = epoch + 1
            WHERE id IN (SELECT id FROM export_jobs WHERE status = 'SUCCEEDED' AND expires_at <= {now}
                         ORDER BY expires_at LIMIT 500 {skip_locked}))");
        }));
    expired += static_cast<int>(changed);
    if (changed < 500) return expired;
  }
}

Result<std::set<JobId>> SqlStore::active_among(const std::vector<JobId>& ids) {
  boost::json::array candidates;
  for (const JobId& id : ids) {
    if (is_uuid(id.str())) candidates.emplace_back(id.str());
  }
  return look_up([&](sql::Transaction& transaction) -> Result<std::set<JobId>> {
    TRY(const sql::Rows rows,
        transaction.query("SELECT id FROM export_jobs WHERE id IN {uuids $1} AND status IN ('QUEUED', 'RUNNING')",
                          {boost::json::serialize(candidates)}));
    std::set<JobId> active;
    for (const sql::Row row : rows) active.insert(JobId(row.text("id")));
    return active;
  });
}

}  // namespace longshore
