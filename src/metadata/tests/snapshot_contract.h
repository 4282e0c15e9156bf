#pragma once

#include <utility>
#include <vector>

#include "metadata/tests/job_store_contract.h"

namespace longshore {

inline const ExportSnapshot kSnapshot{.id = "00000003-0000001B-1",
                                      .lsn = "0/3000148",
                                      .server = "replica1:5432/app",
                                      .system_identifier = "7301234567890123456",
                                      .taken_at = Timestamp{Duration{1'767'225'600'000'000}}};

/// What every store of snapshots and their keepers must do; instantiated as JobStoreContract is.
class SnapshotContract : public JobStoreContract {
 protected:
  static SnapshotPlan make_plan(int partitions, int seats = 2) {
    return {.snapshot = kSnapshot,
            .partitions = make_partitions(partitions),
            .part_size = 8 << 20,
            .estimated_rows = 1000,
            .seats = seats};
  }
  /// Has `worker` plan the job, which was claimed for it, and keep its snapshot.
  KeeperClaim keep_planned(const PlanWork& work, SnapshotPlan plan) {
    EXPECT_EQ(*snapshots_->reserve_snapshot(work.claim, 9, {}), true);
    EXPECT_THAT(queue_->save_upload(work.claim, "upload-" + std::to_string(work.job.snapshot_losses)), Succeeded());
    auto keeper = snapshots_->save_snapshot_plan(work.claim, std::move(plan));
    EXPECT_THAT(keeper, Succeeded());
    return keeper && *keeper ? **keeper : KeeperClaim{};
  }
  KeeperWork claim_seat(const WorkerId& worker) {
    auto work = snapshots_->claim_keeper(worker);
    EXPECT_THAT(work, Succeeded());
    if (work && *work) return **std::move(work);
    ADD_FAILURE() << "there is no vacant seat";
    return {};
  }
  bool no_seat(const WorkerId& worker) {
    auto work = snapshots_->claim_keeper(worker);
    EXPECT_THAT(work, Succeeded());
    return work && !*work;
  }
  std::vector<std::string> importable(const JobId& job) { return *snapshots_->importable_snapshots(job); }
  /// Lets `others` go on living while the time of a lease passes.
  void outlive(const WorkerId& survivor, const std::vector<PartitionProgress>& progress = {}) {
    advance(kLease);
    EXPECT_THAT(queue_->heartbeat(survivor, progress), Succeeded());
    EXPECT_THAT(queue_->free_lost_claims(kLease, {}), Succeeded());
  }
};

}  // namespace longshore
