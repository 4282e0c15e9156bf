#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/download_audit.h"
#include "model/job.h"
#include "model/worker_record.h"

namespace longshore {

/// A request's record in the store: what idempotency compares.
struct NewJob {
  ExportJob job;                ///< state queued; times are set by the store, from the database's clock
  std::string idempotency_key;  ///< empty: none
  std::string request_digest;   ///< SHA-256 of the request, to tell a replay from a reuse
  Duration retention{};         ///< expires_at = creation (later: completion) + retention
};

struct InsertOutcome {
  ExportJob job;
  bool replayed = false;
};

struct JobFilter {
  TenantId tenant;
  std::optional<JobState> state;
  std::string export_type;   ///< empty: any
  std::string requested_by;  ///< empty: anybody
  int limit = 50;
  /// Continue after this job (exclusive), in (created_at, id) descending order.
  std::optional<std::pair<Timestamp, JobId>> after;
};

/// Proof of having claimed a row: every later write is guarded by it.
struct Claim {
  WorkerId worker;
  JobId job;
  int partition = -1;  ///< -1: the job itself (plan, assemble, clean)
  std::int64_t epoch = 0;
};

/// The kinds of work that are claimed. Any worker takes any of them.
struct PlanWork {
  Claim claim;
  ExportJob job;
};
struct PartitionWork {
  Claim claim;
  ExportJob job;
  Partition partition;
  std::vector<Part> parts;  ///< checkpoints so far, in sequence order; empty: from the beginning
};
struct AssembleWork {
  Claim claim;
  ExportJob job;
};
/// Whatever a job in a final state may have left in the object store.
struct CleanWork {
  Claim claim;
  ExportJob job;
};
using Work = std::variant<PlanWork, PartitionWork, AssembleWork, CleanWork>;

/// How far a partition has come, what is not yet checkpointed included.
struct PartitionProgress {
  Claim claim;            ///< of partition -1 (a claim on a job itself) only the pressure counts, while it is planned
  std::int64_t rows = 0;  ///< of the whole partition so far
  std::int64_t bytes = 0;
  std::string source_pressure;  ///< as in ExportJob
};

/// What an artefact turned out to be, recorded with success.
struct Artefact {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
};

/// When to try again after a failure, and when to give up.
struct RetryPolicy {
  int max_attempts = 5;
  Duration first_delay = std::chrono::seconds{1};  ///< doubles with every attempt, at most max_delay
  Duration max_delay = std::chrono::seconds{60};
};

struct ActiveJobs {
  std::int64_t queued = 0;
  std::int64_t running = 0;
};

/// How far a queue is counted: beyond, the figure would cost more than it tells.
inline constexpr int kMostQueuePosition = 100;

/// Jobs as API edges see them. Thread-safe. Errors: `metadata_unavailable` (external, retriable); others as noted.
class JobStore {
 public:
  virtual ~JobStore() = default;
  /// Stores a job, or returns the one that the same key made before for this tenant. Errors: `idempotency_key_reused`
  /// (the digest differs).
  virtual Result<InsertOutcome> insert(const NewJob& job) = 0;
  /// nullopt: no such job of this tenant.
  virtual Result<std::optional<ExportJob>> find(const TenantId& tenant, const JobId& id) = 0;
  virtual Result<std::vector<ExportJob>> list(const JobFilter& filter) = 0;
  /// The oldest queued jobs of all tenants, in order; at most kMostQueuePosition.
  virtual Result<std::vector<JobId>> queue_head() = 0;
  /// How many jobs of all tenants are queued, and how many are running.
  virtual Result<ActiveJobs> count_active() = 0;
  /// QUEUED or RUNNING → CANCELLED. Errors: `export_finished` (user), `export_not_found`.
  virtual Result<ExportJob> cancel(const TenantId& tenant, const JobId& id) = 0;
  /// SUCCEEDED → EXPIRED now; also FAILED and CANCELLED stay as they are and succeed. Errors: `export_active`,
  /// `export_not_found`.
  virtual Status expire(const TenantId& tenant, const JobId& id) = 0;
  virtual Result<std::vector<Partition>> partitions(const JobId& id) = 0;
  /// All checkpoints of a partition in sequence order; `partition` -1: the glued parts of the file.
  virtual Result<std::vector<Part>> parts(const JobId& id, int partition) = 0;
  virtual Status add_download(const DownloadAudit& audit) = 0;
  virtual Result<std::vector<DownloadAudit>> downloads(const JobId& id) = 0;
  /// All workers that were registered and not retired, in order of their beginning.
  virtual Result<std::vector<WorkerRecord>> workers() = 0;
  /// The database's time.
  virtual Result<Timestamp> now() = 0;
};

/// Jobs as workers see them: claims, checkpoints, endings. Thread-safe.
///
/// Every write that takes a Claim is one transaction guarded by worker, epoch and status. When the guard matches no row
/// the claim is lost (taken over, cancelled, finished): error `claim_lost`, and the caller must stop touching that
/// work. Time is the database's alone.
class WorkQueue {
 public:
  virtual ~WorkQueue() = default;
  virtual Status register_worker(const WorkerId& id, const std::string& host, int pid) = 0;
  /// Renews the lease of all of the worker's claims, records progress, and returns those of `claims` that are lost.
  /// `progress` lists everything that the worker works on, claims on a job itself included: a claim that is not listed
  /// though it was there at the previous heartbeat already goes to others, for its worker knows nothing of it (the
  /// answer to claim_next() was lost, or the write that should have ended it). Error `worker_lost`: the worker was
  /// silent longer than a lease and its claims are gone; register a new id.
  virtual Result<std::vector<Claim>> heartbeat(const WorkerId& id, const std::vector<PartitionProgress>& progress) = 0;
  /// Gives all claims back and forgets the worker. Not an attempt: counters stay as before the claims.
  virtual Status retire_worker(const WorkerId& id) = 0;
  /// Frees the claims of workers that were silent for `lease`; returns how many. A freed partition is PENDING again;
  /// the attempt counts. A job whose partition has no attempt left is FAILED (`worker_lost_repeatedly`).
  virtual Result<int> free_lost_claims(Duration lease, const RetryPolicy& policy) = 0;

  /// Takes or keeps an office that one process at a time holds, such as the sweeper's, for `length` from now on; false
  /// while somebody else holds it. Asked again well within `length`, it stays with its holder. A hint like any lease:
  /// who was too slow may still be at it when the next one begins, so what is done in office must be safe to do twice.
  virtual Result<bool> hold_office(const std::string& office, const std::string& holder, Duration length) = 0;
  /// Lets the next one in at once; nothing if `holder` does not hold it.
  virtual Status leave_office(const std::string& office, const std::string& holder) = 0;

  /// Takes the next work, fairly over tenants: the tenant with the fewest running claims first, then the oldest job;
  /// its partitions in order. Raises the row's epoch. nullopt: nothing to do now.
  virtual Result<std::optional<Work>> claim_next(const WorkerId& id) = 0;

  /// PlanWork: records the upload the moment it is begun, so that a crash cannot orphan it.
  virtual Status save_upload(const Claim& claim, const std::string& upload_id) = 0;
  /// PlanWork: stores the partitions and ends the claim. Shape: partitions in index order; may be empty (then the job
  /// is ready for assembly). Sets estimated_rows, part_size.
  virtual Status save_plan(const Claim& claim, const std::vector<Partition>& partitions, std::int64_t part_size,
                           std::int64_t estimated_rows) = 0;
  /// PartitionWork, AssembleWork: a durable part. A claim of assembly (partition -1) stores parts of the partition
  /// index -1: the glued parts of the file. Error `claim_lost`; writing the same sequence twice is a bug (internal).
  virtual Status checkpoint(const Claim& claim, const Part& part) = 0;
  /// PartitionWork: all parts are checkpointed. The last partition makes the job ready for assembly.
  virtual Status complete_partition(const Claim& claim, std::int64_t rows, std::int64_t bytes) = 0;
  /// PartitionWork of a job's only partition whose file was written whole: completes the partition and publishes the
  /// job in one transaction, as if complete_partition() and publish() had followed each other.
  virtual Status complete_and_publish(const Claim& claim, std::int64_t rows, const Artefact& artefact) = 0;
  /// AssembleWork: RUNNING → SUCCEEDED, and leftovers are to be cleaned.
  virtual Status publish(const Claim& claim, const Artefact& artefact) = 0;
  /// CleanWork: nothing is left.
  virtual Status mark_clean(const Claim& claim) = 0;

  /// Ends a claim after an error. A retriable one with attempts left: the row becomes claimable again after a backoff;
  /// else the job is FAILED with the error (clean work is retried for ever). The job's error text is kept either way.
  /// Returns whether the job has now FAILED.
  virtual Result<bool> give_up(const Claim& claim, const Error& error, const RetryPolicy& policy) = 0;
  /// Ends a claim on shutdown, as if it had never been taken; checkpoints stay. Also how a worker says that it has
  /// stopped working on a claim that it lost because the job was cancelled or failed (it is answered `claim_lost`):
  /// cleaning waits for that.
  virtual Status hand_back(const Claim& claim) = 0;
  /// SUCCEEDED jobs past expires_at → EXPIRED with cleaning due; returns how many.
  virtual Result<int> expire_due() = 0;
  /// Of these job ids, those whose staged objects or uploads may still be needed (job exists and is QUEUED or RUNNING).
  virtual Result<std::set<JobId>> active_among(const std::vector<JobId>& ids) = 0;
};

}  // namespace longshore
