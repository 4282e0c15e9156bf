#include "metadata/claim_guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "metadata/records.h"

namespace longshore::claims {
namespace {

constexpr std::size_t kErrorCodeCharacters = 128;      // error_code is varchar(128)
constexpr std::size_t kErrorMessageCharacters = 4000;  // enough to act on; some databases answer with pages

/// Whether the job in `row` still wants what was claimed for `purpose`.
bool wants(const sql::Row& row, std::string_view purpose) {
  const std::string status = row.text("status");
  return purpose == kClean ? status != "QUEUED" && status != "RUNNING" : status == "RUNNING";
}

}  // namespace

Result<Standing> standing(sql::Transaction& transaction, const Claim& claim) {
  Standing standing;
  TRY(const sql::Rows jobs, transaction.query(R"(
    SELECT status, worker_id, claimed_for, epoch, attempts, cleaning_attempts FROM export_jobs WHERE id = $1 {lock})",
                                              {claim.job}));
  if (jobs.empty()) return standing;
  const sql::Row job = jobs[0];
  if (claim.partition < 0) {
    standing.held = job.text("worker_id") == claim.worker.str() && job.integer("epoch") == claim.epoch;
    if (!standing.held) return standing;
    standing.purpose = job.text("claimed_for");
    standing.attempts = static_cast<int>(job.integer(standing.purpose == kClean ? "cleaning_attempts" : "attempts"));
  } else {
    TRY(const sql::Rows partitions, transaction.query(R"(
      SELECT attempts, progressed, failing FROM export_job_partitions
      WHERE job_id = $1 AND partition_index = $2 AND worker_id = $3 AND epoch = $4 AND status = 'RUNNING' {lock})",
                                                      {claim.job, claim.partition, claim.worker, claim.epoch}));
    standing.held = !partitions.empty();
    if (!standing.held) return standing;
    standing.purpose = kExtract;
    standing.attempts = static_cast<int>(partitions[0].integer("attempts"));
    standing.progressed = partitions[0].flag("progressed");
    standing.failing = partitions[0].flag("failing");
  }
  standing.wanted = wants(job, standing.purpose);
  return standing;
}

Error lost(const Claim& claim) {
  const std::string what = claim.partition < 0
                               ? "export " + claim.job.str()
                               : fmt::format("partition {} of export {}", claim.partition, claim.job.str());
  return external_error(
      "claim_lost",
      fmt::format("worker {} no longer holds {} (epoch {}): it was taken over, or the export was cancelled "
                  "or has ended",
                  claim.worker.str(), what, claim.epoch),
      false);
}

Status release(sql::Transaction& transaction, const Claim& claim, std::string_view purpose, int attempts,
               Duration delay) {
  attempts = std::max(attempts, 0);
  if (purpose == kExtract) {
    CHECK_OK(transaction.execute(R"(
      UPDATE export_job_partitions SET status = 'PENDING', attempts = $3, not_before = {later {now} | $4},
        live_rows = row_count, live_bytes = byte_count, source_pressure = ''
      WHERE job_id = $1 AND partition_index = $2)",
                                 {claim.job, claim.partition, attempts, delay}));
  } else if (purpose == kClean) {
    CHECK_OK(transaction.execute(R"(
      UPDATE export_jobs SET worker_id = NULL, claimed_for = NULL, cleaning_attempts = $2, not_before = {later {now} | $3}
      WHERE id = $1)",
                                 {claim.job, attempts, delay}));
  } else {
    CHECK_OK(transaction.execute(R"(
      UPDATE export_jobs SET worker_id = NULL, claimed_for = NULL, attempts = $2, not_before = {later {now} | $3},
        source_pressure = ''
      WHERE id = $1)",
                                 {claim.job, attempts, delay}));
  }
  return {};
}

Status end_job(sql::Transaction& transaction, const JobId& job, JobState state, std::string_view error_code,
               std::string_view error_message) {
  CHECK_OK(transaction.execute(
      R"(
    UPDATE export_jobs SET status = $2, phase = 'done', completed_at = {now}, expires_at = {later {now} | retention},
      needs_cleaning = CASE WHEN started_at IS NULL THEN 0 ELSE 1 END, cleaning_attempts = 0, not_before = {now},
      source_pressure = '', error_code = $3, error_message = $4
    WHERE id = $1 AND status IN ('QUEUED', 'RUNNING'))",
      {job, to_string(state), sql::null_if_empty(records::shorten(error_code, kErrorCodeCharacters)),
       sql::null_if_empty(records::shorten(error_message, kErrorMessageCharacters))}));
  return dismiss_keepers(transaction, job);
}

Status fail_work(sql::Transaction& transaction, const Claim& claim, std::string_view error_code,
                 std::string_view error_message) {
  if (claim.partition >= 0) {
    CHECK_OK(transaction.execute(R"(
      UPDATE export_job_partitions SET status = 'FAILED', completed_at = {now}, source_pressure = ''
      WHERE job_id = $1 AND partition_index = $2)",
                                 {claim.job, claim.partition}));
  } else {
    CHECK_OK(
        transaction.execute("UPDATE export_jobs SET worker_id = NULL, claimed_for = NULL WHERE id = $1", {claim.job}));
  }
  return end_job(transaction, claim.job, JobState::failed, error_code, error_message);
}

Status raise_progress(sql::Transaction& transaction, const JobId& job) {
  CHECK_OK(transaction.execute(R"(
    UPDATE export_jobs SET
      row_count = {greatest row_count | (SELECT coalesce(sum({greatest p.row_count | p.live_rows}), 0)
                                         FROM export_job_partitions p WHERE p.job_id = $1)},
      byte_count = {greatest byte_count | (SELECT coalesce(sum({greatest p.byte_count | p.live_bytes}), 0)
                                           FROM export_job_partitions p WHERE p.job_id = $1)},
      source_pressure = coalesce((SELECT max(p.source_pressure) FROM export_job_partitions p
                                  WHERE p.job_id = $1 AND p.status = 'RUNNING'), '')
    WHERE id = $1 AND status = 'RUNNING')",
                               {job}));
  return {};
}

Duration backoff(const RetryPolicy& policy, int attempt) {
  Duration delay = policy.first_delay;
  for (int i = 1; i < attempt && delay < policy.max_delay; ++i) delay *= 2;
  return std::min(delay, policy.max_delay);
}

}  // namespace longshore::claims
