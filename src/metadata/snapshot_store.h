#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "metadata/job_store.h"
#include "model/job.h"

namespace longshore {

/// Proof of holding a seat of a job's keepers. An export that reads a snapshot has one or two seats; who holds one
/// keeps a transaction open that others can import the snapshot from.
struct KeeperClaim {
  WorkerId worker;
  JobId job;
  int seat = 0;  ///< 0 or 1
  std::int64_t epoch = 0;
};

/// A seat that was taken and whose holder is to import the snapshot from one of those who have it.
struct KeeperWork {
  KeeperClaim claim;
  ExportJob job;
  std::vector<std::string> importable;  ///< ids under which the snapshot can be imported
};

/// The plan of an export that reads one state of the source.
struct SnapshotPlan {
  ExportSnapshot snapshot;
  std::vector<Partition> partitions;  ///< as in WorkQueue::save_plan()
  std::int64_t part_size = 0;
  std::int64_t estimated_rows = 0;
  int seats = 1;  ///< of keepers; 0: nothing needs to be kept (materialized)
  SnapshotLoss on_loss = SnapshotLoss::restart;
};

/// Who keeps which snapshot, and what becomes of an export when nobody does. Thread-safe.
///
/// A seat is vacant, held (its worker imports the snapshot), or kept (the snapshot can be imported from it). A seat
/// whose worker leaves it, retires or is declared lost is vacant again. The moment that a job in extraction has no seat
/// held by anybody its snapshot is lost: in that same transaction the job goes back to its plan with nothing left of
/// what was read, or FAILS (`snapshot_lost`), by its policy; restarts are counted and end at kMaxSnapshotRestarts.
///
/// The same becomes of a materialized export whose copy is gone. Nobody keeps that one: its readers notice.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;
  /// PlanWork: takes one of `limit` places that the job's source has for exports that keep a snapshot (materialized
  /// ones have places of their own, until their plan is saved), or finds that the job has one. False: there is none;
  /// the claim has ended, without an attempt being counted, and the job is claimable again after `delay`. Error
  /// `claim_lost`.
  virtual Result<bool> reserve_snapshot(const Claim& claim, int limit, Duration delay) = 0;
  /// WorkQueue::save_plan() with the snapshot that the plan was made in, in one transaction. With seats, the claim's
  /// worker keeps the snapshot in the seat that is returned. If a second one is to be taken and there are other
  /// workers, the partitions wait for it a few seconds: connections are few, and readers would take them all.
  virtual Result<std::optional<KeeperClaim>> save_snapshot_plan(const Claim& claim, const SnapshotPlan& plan) = 0;

  /// Takes a vacant seat beside one that another worker keeps. nullopt: there is none. Error `worker_lost`.
  virtual Result<std::optional<KeeperWork>> claim_keeper(const WorkerId& worker) = 0;
  /// The snapshot can be imported from the seat under this id. Error `claim_lost`.
  virtual Status keep(const KeeperClaim& claim, const std::string& snapshot_id) = 0;
  /// The holder of a seat cannot keep it (`why`, for people). Nothing if the seat is not the claim's any more.
  virtual Status leave_keeper(const KeeperClaim& claim, const std::string& why) = 0;
  /// The seats that a worker holds.
  virtual Result<std::vector<KeeperClaim>> keepers_of(const WorkerId& worker) = 0;
  /// The ids under which the job's snapshot can be imported now; none while it has no keeper.
  virtual Result<std::vector<std::string>> importable_snapshots(const JobId& job) = 0;

  /// PartitionWork: the copy that the job reads is gone for good (`why`, for people): begins it again or fails it, by
  /// the policy of its plan; either way the claim is lost. Error `claim_lost`: it was before.
  virtual Status lose_copy(const Claim& claim, const std::string& why) = 0;
  /// PartitionWork: the moment that its session reads, for the manifest; to be told before anything that was read is
  /// durable. Error `claim_lost`.
  virtual Status note_moment(const Claim& claim, const ExportSnapshot& moment) = 0;
  /// PartitionWork: the only session that read the job's moment has ended: as lose_copy().
  virtual Status lose_moment(const Claim& claim, const std::string& why) = 0;
  /// 32 hexadecimal digits, the same as long as these tables live: what we make in others' databases is marked by it.
  virtual Result<std::string> deployment() = 0;
};

}  // namespace longshore
