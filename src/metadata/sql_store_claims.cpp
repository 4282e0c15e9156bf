#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "metadata/claim_guard.h"
#include "metadata/claim_query.h"
#include "metadata/records.h"
#include "metadata/sql_store.h"

namespace longshore {
namespace {

using records::kJobColumns;

/// The job as long as its partitions may be taken; nullopt when it has ended meanwhile, or somebody is changing it. It
/// stays as it is until the claim is committed: nothing is ever taken of an ended job.
Result<std::optional<ExportJob>> hold_extracting_job(sql::Transaction& transaction, const JobId& id) {
  static const std::string kSelect = fmt::format(
      "SELECT {} FROM export_jobs WHERE id = $1 AND status = 'RUNNING' AND phase = 'extract' {{share_skip_locked}}",
      kJobColumns);
  TRY(const sql::Rows rows, transaction.query(kSelect, {id}));
  if (rows.empty()) return std::nullopt;
  TRY(auto job, records::read_job(rows[0]));
  return job;
}

Result<std::optional<Work>> claim_partition(sql::Transaction& transaction, const WorkerId& worker, const JobId& job) {
  TRY(auto held, hold_extracting_job(transaction, job));
  if (!held) return std::nullopt;
  static const std::string kUpdate = fmt::format(R"(
    UPDATE export_job_partitions SET status = 'RUNNING', worker_id = $2, epoch = epoch + 1, attempts = attempts + 1,
      claimed_at = {{now}}, progressed = 0, live_rows = row_count, live_bytes = byte_count, started_at = coalesce(started_at, {{now}})
    WHERE job_id = $1 AND partition_index = (
      SELECT partition_index FROM export_job_partitions WHERE job_id = $1 AND status = 'PENDING' AND not_before <= {{now}}
      ORDER BY partition_index LIMIT 1 {{skip_locked}})
    RETURNING {})",
                                                 records::kPartitionColumns);
  TRY(const sql::Rows rows, transaction.query(kUpdate, {job, worker}));
  if (rows.empty()) return std::nullopt;
  PartitionWork work;
  TRY(work.partition, records::read_partition(rows[0]));
  work.job = *std::move(held);
  TRY(work.parts, records::read_parts(transaction, job, work.partition.index));
  work.claim = {.worker = worker, .job = job, .partition = work.partition.index, .epoch = rows[0].integer("epoch")};
  return Work(std::move(work));
}

/// Claims the job itself with `sql`, which returns its row; nullopt when another transaction was faster.
template <class Kind>
Result<std::optional<Work>> claim_job(sql::Transaction& transaction, std::string_view sql, const WorkerId& worker,
                                      const JobId& id) {
  TRY(const sql::Rows rows, transaction.query(sql, {id, worker}));
  if (rows.empty()) return std::nullopt;
  Kind work;
  TRY(work.job, records::read_job(rows[0]));
  work.claim = {.worker = worker, .job = id, .partition = -1, .epoch = rows[0].integer("epoch")};
  return Work(std::move(work));
}

Result<std::optional<Work>> claim_plan(sql::Transaction& transaction, const WorkerId& worker, const JobId& job) {
  static const std::string kUpdate = fmt::format(R"(
    UPDATE export_jobs SET status = 'RUNNING', worker_id = $2, claimed_for = 'plan', epoch = epoch + 1,
      attempts = attempts + 1, claimed_at = {{now}}, started_at = coalesce(started_at, {{now}})
    WHERE id = (SELECT id FROM export_jobs WHERE id = $1 AND status IN ('QUEUED', 'RUNNING') AND phase = 'plan'
                AND worker_id IS NULL AND not_before <= {{now}} {{skip_locked}})
    RETURNING epoch, {})",
                                                 kJobColumns);
  return claim_job<PlanWork>(transaction, kUpdate, worker, job);
}

Result<std::optional<Work>> claim_assembly(sql::Transaction& transaction, const WorkerId& worker, const JobId& job) {
  static const std::string kUpdate = fmt::format(R"(
    UPDATE export_jobs SET worker_id = $2, claimed_for = 'assemble', epoch = epoch + 1, attempts = attempts + 1,
      claimed_at = {{now}}
    WHERE id = (SELECT id FROM export_jobs WHERE id = $1 AND status = 'RUNNING' AND phase = 'assemble'
                AND worker_id IS NULL AND not_before <= {{now}} {{skip_locked}})
    RETURNING epoch, {})",
                                                 kJobColumns);
  return claim_job<AssembleWork>(transaction, kUpdate, worker, job);
}

Result<std::optional<Work>> claim_cleaning(sql::Transaction& transaction, const WorkerId& worker, const JobId& job) {
  static const std::string kUpdate = fmt::format(R"(
    UPDATE export_jobs SET worker_id = $2, claimed_for = 'clean', epoch = epoch + 1,
      cleaning_attempts = cleaning_attempts + 1, claimed_at = {{now}}
    WHERE id = (SELECT id FROM export_jobs WHERE id = $1 AND needs_cleaning = 1
                AND worker_id IS NULL AND not_before <= {{now}} {{skip_locked}})
    RETURNING epoch, {})",
                                                 kJobColumns);
  return claim_job<CleanWork>(transaction, kUpdate, worker, job);
}

Result<std::optional<Work>> claim(sql::Transaction& transaction, const std::string& kind, const WorkerId& worker,
                                  const JobId& job) {
  if (kind == claims::kExtract) return claim_partition(transaction, worker, job);
  if (kind == claims::kPlan) return claim_plan(transaction, worker, job);
  if (kind == claims::kAssemble) return claim_assembly(transaction, worker, job);
  return claim_cleaning(transaction, worker, job);
}

/// Whether a job cannot be claimed because this build cannot read its record.
bool is_unreadable(const Error& error) {
  return error.code == "bad_stored_job" || error.code == "bad_stored_spec";
}

/// Leaves a job that this build cannot read to others for a while, perhaps workers of a newer release, and shows why;
/// one such record must not keep all workers from all other work.
Status set_aside(sql::Transaction& transaction, const std::string& kind, const JobId& job, const Error& error) {
  constexpr Duration kAside = std::chrono::minutes{1};
  CHECK_OK(transaction.execute("UPDATE export_jobs SET error_code = $2, error_message = $3 WHERE id = $1",
                               {job, records::shorten(error.code, 128), records::shorten(error.message, 4000)}));
  if (kind == claims::kExtract) {
    CHECK_OK(transaction.execute(R"(
      UPDATE export_job_partitions SET not_before = {later {now} | $2} WHERE job_id = $1 AND status = 'PENDING')",
                                 {job, kAside}));
    return {};
  }
  return claims::release(transaction, {.worker = {}, .job = job, .partition = -1, .epoch = 0}, kind, 0, kAside);
}

}  // namespace

Result<std::optional<Work>> SqlStore::claim_next(const WorkerId& id) {
  // Most polls find nothing: they end here, without a lock that writers would wait for.
  TRY(const bool any, look_up([](sql::Transaction& transaction) -> Result<bool> {
        TRY(const sql::Rows rows, transaction.query(claims::any_candidate()));
        return !rows.empty();
      }));
  if (!any) return std::nullopt;
  struct Outcome {
    std::optional<Work> work;
    bool contended = false;  ///< there was work, and others were at all of it
  };
  // Claims never wait for a lock. When many workers wake at once, all look at the same few candidates and may find each
  // of them locked; they are gone, or free again, a moment later.
  constexpr int kTries = 4;
  for (int i = 1;; ++i) {
    TRY(Outcome outcome, write([&](sql::Transaction& transaction) -> Result<Outcome> {
          CHECK_OK(claims::require_alive(transaction, id));
          TRY(const sql::Rows candidates, transaction.query(claims::best_candidates()));
          for (const sql::Row candidate : candidates) {
            const std::string kind = candidate.text("kind");
            const JobId job(candidate.text("job_id"));
            auto work = claim(transaction, kind, id, job);
            if (!work && is_unreadable(work.error())) {
              CHECK_OK(set_aside(transaction, kind, job, work.error()));
              continue;
            }
            if (!work) return fail(std::move(work).error());
            if (*work) return Outcome{*std::move(work), false};
          }
          return Outcome{std::nullopt, !candidates.empty()};
        }));
    if (!outcome.contended || i == kTries) return std::move(outcome.work);
    std::this_thread::sleep_for(std::chrono::milliseconds(i));
  }
}

}  // namespace longshore
