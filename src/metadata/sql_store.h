#pragma once

#include <memory>

#include "metadata/job_store.h"
#include "metadata/snapshot_store.h"
#include "metadata/source_places.h"
#include "metadata/sql.h"

namespace longshore {

/// Jobs and work in a SQL database; the SQL is the same for all of them (dialect.h has the differences). Thread-safe,
/// and safe beside other processes on the same database. Holds no state of its own: whatever a call answers was
/// committed.
///
/// Lock order, for databases that lock rows: worker, then job, then partition.
class SqlStore final : public JobStore, public WorkQueue, public SnapshotStore, public SourcePlaces {
 public:
  /// REQUIRES: sql::migrate() has run. Errors: `metadata_schema_older`, `metadata_schema_newer`,
  /// `metadata_unavailable`.
  static Result<std::unique_ptr<SqlStore>> make(std::unique_ptr<sql::Database> database);

  // JobStore; sql_store.cpp
  Result<InsertOutcome> insert(const NewJob& job) override;
  Result<std::optional<ExportJob>> find(const TenantId& tenant, const JobId& id) override;
  Result<std::vector<ExportJob>> list(const JobFilter& filter) override;
  Result<std::vector<JobId>> queue_head() override;
  Result<ActiveJobs> count_active() override;
  Result<ExportJob> cancel(const TenantId& tenant, const JobId& id) override;
  Status expire(const TenantId& tenant, const JobId& id) override;
  Result<std::vector<Partition>> partitions(const JobId& id) override;
  Result<std::vector<Part>> parts(const JobId& id, int partition) override;
  Status add_download(const DownloadAudit& audit) override;
  Result<std::vector<DownloadAudit>> downloads(const JobId& id) override;
  Result<Timestamp> now() override;

  // WorkQueue: workers and their leases; sql_store_leases.cpp
  Status register_worker(const WorkerId& id, const std::string& host, int pid) override;
  Result<std::vector<Claim>> heartbeat(const WorkerId& id, const std::vector<PartitionProgress>& progress) override;
  Status retire_worker(const WorkerId& id) override;
  Result<std::vector<WorkerRecord>> workers() override;
  Result<int> free_lost_claims(Duration lease, const RetryPolicy& policy) override;
  Result<bool> hold_office(const std::string& office, const std::string& holder, Duration length) override;
  Status leave_office(const std::string& office, const std::string& holder) override;

  // WorkQueue: taking work; sql_store_claims.cpp
  Result<std::optional<Work>> claim_next(const WorkerId& id) override;

  // WorkQueue: doing and ending it; sql_store_work.cpp
  Status save_upload(const Claim& claim, const std::string& upload_id) override;
  Status save_plan(const Claim& claim, const std::vector<Partition>& partitions, std::int64_t part_size,
                   std::int64_t estimated_rows) override;
  Status checkpoint(const Claim& claim, const Part& part) override;
  Status complete_partition(const Claim& claim, std::int64_t rows, std::int64_t bytes) override;
  Status complete_and_publish(const Claim& claim, std::int64_t rows, const Artefact& artefact) override;
  Status publish(const Claim& claim, const Artefact& artefact) override;
  Status mark_clean(const Claim& claim) override;
  Result<bool> give_up(const Claim& claim, const Error& error, const RetryPolicy& policy) override;
  Status hand_back(const Claim& claim) override;
  Result<int> expire_due() override;
  Result<std::set<JobId>> active_among(const std::vector<JobId>& ids) override;

  // SnapshotStore; sql_store_snapshots.cpp
  Result<bool> reserve_snapshot(const Claim& claim, int limit, Duration delay) override;
  Result<std::optional<KeeperClaim>> save_snapshot_plan(const Claim& claim, const SnapshotPlan& plan) override;
  Result<std::optional<KeeperWork>> claim_keeper(const WorkerId& worker) override;
  Status keep(const KeeperClaim& claim, const std::string& snapshot_id) override;
  Status leave_keeper(const KeeperClaim& claim, const std::string& why) override;
  Result<std::vector<KeeperClaim>> keepers_of(const WorkerId& worker) override;
  Result<std::vector<std::string>> importable_snapshots(const JobId& job) override;
  Status lose_copy(const Claim& claim, const std::string& why) override;
  Status note_moment(const Claim& claim, const ExportSnapshot& moment) override;
  Status lose_moment(const Claim& claim, const std::string& why) override;
  Result<std::string> deployment() override;

  // SourcePlaces; sql_store_places.cpp
  Status add_places(const std::string& source, int count) override;
  Result<std::optional<TakenPlace>> take_place(const PlaceRequest& request) override;
  Result<bool> place_in_sight(const PlaceRequest& request) override;
  Status wait_for_place(const std::string& source, const std::string& holder, Duration length) override;
  Status stop_waiting(const std::string& source, const std::string& holder) override;
  Result<PlaceRenewal> renew_places(const std::string& holder, Duration lease) override;
  Status return_places(const std::string& holder, const std::vector<ReturnedPlace>& places) override;
  Status clear_suspects(const std::vector<SourcePlace>& places) override;

 private:
  explicit SqlStore(std::unique_ptr<sql::Database> database);
  Status lose(const Claim& claim, bool copied, const std::string& why);

  /// REQUIRES: `body` runs one statement.
  template <class Body>
  auto look_up(Body&& body) {
    return sql::transact(*database_, sql::Access::lookup, std::forward<Body>(body));
  }
  template <class Body>
  auto write(Body&& body) {
    return sql::transact(*database_, sql::Access::write, std::forward<Body>(body));
  }
  template <class Body>
  Status guarded(const Claim& claim, std::string_view purpose, Body&& body);

  std::unique_ptr<sql::Database> database_;
};

}  // namespace longshore
