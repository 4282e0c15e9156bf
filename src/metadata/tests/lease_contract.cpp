#include "metadata/tests/job_store_contract.h"

// Workers and their leases, heartbeats, and whose work comes next.

namespace longshore {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PartitionProgress progress_of(const Claim& claim, std::int64_t rows = 0, std::int64_t bytes = 0,
                              std::string pressure = {}) {
  return {.claim = claim, .rows = rows, .bytes = bytes, .source_pressure = std::move(pressure)};
}

MATCHER_P(ClaimOf, claim, "the claim") {
  return arg.worker == claim.worker && arg.job == claim.job && arg.partition == claim.partition &&
         arg.epoch == claim.epoch;
}

TEST_P(JobStoreContract, WorkersAreListedWithTheirClaims) {
  const WorkerId worker = register_worker("w1");
  register_worker("w2");
  planned("acme", worker, 2);
  claim<PartitionWork>(worker);
  insert("globex");
  claim<PlanWork>(worker);
  auto workers = jobs_->workers();
  ASSERT_THAT(workers, Succeeded());
  ASSERT_EQ(workers->size(), 2U);
  EXPECT_EQ((*workers)[0].id, worker);
  EXPECT_EQ((*workers)[0].host, "host-1");
  EXPECT_EQ((*workers)[0].pid, 4711);
  EXPECT_TRUE((*workers)[0].alive);
  EXPECT_EQ((*workers)[0].claims, 2);
  EXPECT_EQ((*workers)[1].claims, 0);
}

TEST_P(JobStoreContract, AnIdIsRegisteredOnce) {
  register_worker("w1");
  EXPECT_THAT(queue_->register_worker(WorkerId("w1"), "h", 1), FailedWith("metadata_duplicate"));
}

TEST_P(JobStoreContract, HeartbeatsKeepClaims) {
  const WorkerId worker = register_worker("w1");
  planned("acme", worker, 1);
  const auto work = claim<PartitionWork>(worker);
  for (int i = 0; i < 10; ++i) {
    advance(kLease - seconds{1});
    EXPECT_EQ(*queue_->free_lost_claims(kLease, {}), 0);
    const auto lost = queue_->heartbeat(worker, {progress_of(work.claim)});
    ASSERT_THAT(lost, Succeeded());
    EXPECT_THAT(*lost, IsEmpty());
  }
  EXPECT_THAT(queue_->checkpoint(work.claim, make_part(0)), Succeeded());
}

TEST_P(JobStoreContract, WhatHoldsPlanningUpIsShownUntilThePlanIsThereOrTheClaimGone) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  const auto beat = [&](const Claim& claim, const std::string& pressure) {
    const auto lost = queue_->heartbeat(worker, {progress_of(claim, 0, 0, pressure)});
    ASSERT_THAT(lost, Succeeded());
    EXPECT_THAT(*lost, IsEmpty());
  };
  const PlanWork first = claim<PlanWork>(worker);
  beat(first.claim, "paused: replica r1 is 9 s behind");
  EXPECT_EQ(find(job).source_pressure, "paused: replica r1 is 9 s behind");
  beat(first.claim, "");
  EXPECT_EQ(find(job).source_pressure, "");
  beat(first.claim, "paused: again");
  ASSERT_THAT(queue_->hand_back(first.claim), Succeeded());
  EXPECT_EQ(find(job).source_pressure, "") << "nobody plans it";

  const PlanWork second = claim<PlanWork>(worker);
  beat(second.claim, "paused: again");
  ASSERT_THAT(queue_->save_plan(second.claim, {}, 5 << 20, 0), Succeeded());
  EXPECT_EQ(find(job).source_pressure, "");
  const auto assembly = claim<AssembleWork>(worker);
  beat(assembly.claim, "paused: an assembly reads nothing");
  EXPECT_EQ(find(job).source_pressure, "");
}

TEST_P(JobStoreContract, ASilentWorkerLosesItsClaims) {
  const WorkerId silent = register_worker("silent");
  const ExportJob job = planned("acme", silent, 1);
  claim<PartitionWork>(silent);
  insert("globex");
  claim<PlanWork>(silent);
  advance(kLease);
  const WorkerId heir = register_worker("heir");
  EXPECT_EQ(*queue_->free_lost_claims(kLease, {}), 2);
  EXPECT_EQ(*queue_->free_lost_claims(kLease, {}), 0);
  const auto beat = queue_->heartbeat(silent, {});
  ASSERT_THAT(beat, FailedWith("worker_lost"));
  EXPECT_THAT(beat.error().message, HasSubstr("register a new id"));
  EXPECT_THAT(queue_->claim_next(silent), FailedWith("worker_lost"));
  EXPECT_EQ(partition(job, 0).state, PartitionState::pending);
  EXPECT_EQ(claim<PartitionWork>(heir).partition.attempts, 2) << "the lost attempt counts";
  claim<PlanWork>(heir);
  EXPECT_FALSE((*jobs_->workers())[0].alive);
  advance(std::chrono::hours{25});
  ASSERT_THAT(queue_->free_lost_claims(std::chrono::hours{48}, {}), Succeeded());
  EXPECT_EQ(jobs_->workers()->size(), 1U) << "lost workers are forgotten after a day";
}

TEST_P(JobStoreContract, AWorkerThatNeverRegisteredGetsNothing) {
  insert("acme");
  EXPECT_THAT(queue_->claim_next(WorkerId("stranger")), FailedWith("worker_lost"));
  EXPECT_THAT(queue_->heartbeat(WorkerId("stranger"), {}), FailedWith("worker_lost"));
  EXPECT_THAT(queue_->retire_worker(WorkerId("stranger")), Succeeded());
}

TEST_P(JobStoreContract, APartitionThatKillsItsWorkersFailsTheJob) {
  const RetryPolicy policy{.max_attempts = 3};
  ExportJob job;
  for (int i = 0; i < 3; ++i) {
    const WorkerId worker = register_worker("w" + std::to_string(i));
    if (i == 0) job = planned("acme", worker, 1);
    EXPECT_EQ(find(job).state, JobState::running);
    claim<PartitionWork>(worker);
    advance(kLease);
    EXPECT_EQ(*queue_->free_lost_claims(kLease, policy), 1);
  }
  const ExportJob failed = find(job);
  EXPECT_EQ(failed.state, JobState::failed);
  EXPECT_EQ(failed.error_code, "worker_lost_repeatedly");
  EXPECT_THAT(failed.error_message, HasSubstr("partition 0"));
  EXPECT_THAT(failed.error_message, HasSubstr("w2"));
  EXPECT_EQ(partition(job, 0).state, PartitionState::failed);
  claim<CleanWork>(register_worker("cleaner"));
}

TEST_P(JobStoreContract, APlanThatKillsItsWorkersFailsTheJobAndCleaningNever) {
  const RetryPolicy policy{.max_attempts = 2};
  const ExportJob job = insert("acme");
  for (int i = 0; i < 2; ++i) {
    claim<PlanWork>(register_worker("planner-" + std::to_string(i)));
    advance(kLease);
    EXPECT_EQ(*queue_->free_lost_claims(kLease, policy), 1);
  }
  EXPECT_EQ(find(job).error_code, "worker_lost_repeatedly");
  for (int i = 0; i < 4; ++i) {
    claim<CleanWork>(register_worker("cleaner-" + std::to_string(i)));
    advance(kLease);
    EXPECT_EQ(*queue_->free_lost_claims(kLease, policy), 1);
  }
}

TEST_P(JobStoreContract, ALostWorkerOfACancelledJobNoLongerHoldsUpCleaning) {
  const WorkerId silent = register_worker("silent");
  const ExportJob job = planned("acme", silent, 1);
  claim<PartitionWork>(silent);
  ASSERT_THAT(jobs_->cancel(job.tenant, job.id), Succeeded());
  advance(kLease);
  const WorkerId other = register_worker("other");
  EXPECT_TRUE(idle(other));
  EXPECT_EQ(*queue_->free_lost_claims(kLease, {.max_attempts = 1}), 1);
  EXPECT_EQ(find(job).state, JobState::cancelled);
  claim<CleanWork>(other);
}

TEST_P(JobStoreContract, RetiringGivesEverythingBack) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 1);
  claim<PartitionWork>(worker);
  const ExportJob other = insert("globex");
  claim<PlanWork>(worker);
  ASSERT_THAT(queue_->retire_worker(worker), Succeeded());
  EXPECT_THAT(*jobs_->workers(), IsEmpty());
  EXPECT_EQ(partition(job, 0).attempts, 0);
  EXPECT_EQ(find(other).attempts, 0);
  const WorkerId next = register_worker("w2");
  EXPECT_EQ(claim<PartitionWork>(next).partition.attempts, 1);
  EXPECT_EQ(claim<PlanWork>(next).job.attempts, 1);
}

// --- heartbeats

TEST_P(JobStoreContract, ProgressIsTheSumOverPartitionsAndNeverGoesBack) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 2);
  const auto first = claim<PartitionWork>(worker);
  const auto second = claim<PartitionWork>(worker);
  ASSERT_THAT(queue_->heartbeat(worker, {progress_of(first.claim, 70, 700), progress_of(second.claim, 20, 200)}),
              Succeeded());
  EXPECT_EQ(find(job).row_count, 90);
  EXPECT_EQ(find(job).byte_count, 900);
  EXPECT_EQ(partition(job, 0).row_count, 70);
  // A partition that is taken over begins again at its last checkpoint; the export's progress stays.
  ASSERT_THAT(queue_->hand_back(first.claim), Succeeded());
  EXPECT_EQ(partition(job, 0).row_count, 0);
  ASSERT_THAT(queue_->heartbeat(worker, {progress_of(second.claim, 30, 300)}), Succeeded());
  EXPECT_EQ(find(job).row_count, 90);
  // Live figures may lag behind the checkpoints.
  ASSERT_THAT(queue_->checkpoint(second.claim, make_part(0, 150, 1500)), Succeeded());
  ASSERT_THAT(queue_->heartbeat(worker, {progress_of(second.claim, 140, 1400)}), Succeeded());
  EXPECT_EQ(find(job).row_count, 150);
  EXPECT_EQ(find(job).byte_count, 1500);
}

TEST_P(JobStoreContract, SourcePressureIsShownWhileItLasts) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 2);
  const auto first = claim<PartitionWork>(worker);
  const auto second = claim<PartitionWork>(worker);
  ASSERT_THAT(queue_->heartbeat(worker, {progress_of(first.claim, 1, 1, "paused: replica lag 7 s"),
                                         progress_of(second.claim, 1, 1, "paced: duty cycle")}),
              Succeeded());
  EXPECT_EQ(find(job).source_pressure, "paused: replica lag 7 s");
  ASSERT_THAT(queue_->heartbeat(worker, {progress_of(first.claim, 1, 1), progress_of(second.claim, 1, 1)}),
              Succeeded());
  EXPECT_EQ(find(job).source_pressure, "");
  ASSERT_THAT(queue_->heartbeat(worker, {progress_of(first.claim, 1, 1, "paused: x")}), Succeeded());
  ASSERT_THAT(queue_->complete_partition(first.claim, 1, 1), Succeeded());
  ASSERT_THAT(queue_->complete_partition(second.claim, 1, 1), Succeeded());
  EXPECT_EQ(find(job).source_pressure, "");
}

TEST_P(JobStoreContract, HeartbeatsTellOfCancellation) {
  const WorkerId worker = register_worker("w1");
  const ExportJob running = planned("acme", worker, 1);
  const auto partition_work = claim<PartitionWork>(worker);
  const ExportJob planning = insert("globex");
  const auto plan = claim<PlanWork>(worker);
  ASSERT_THAT(jobs_->cancel(running.tenant, running.id), Succeeded());
  ASSERT_THAT(jobs_->cancel(planning.tenant, planning.id), Succeeded());
  auto lost = queue_->heartbeat(worker, {progress_of(partition_work.claim, 5, 5)});
  ASSERT_THAT(lost, Succeeded());
  EXPECT_THAT(*lost, testing::UnorderedElementsAre(ClaimOf(partition_work.claim), ClaimOf(plan.claim)));
  // A worker that lists the claims on jobs as well hears of each once.
  lost = queue_->heartbeat(worker, {progress_of(plan.claim), progress_of(partition_work.claim)});
  ASSERT_THAT(lost, Succeeded());
  EXPECT_EQ(lost->size(), 2U);
  EXPECT_EQ(find(running).row_count, 0);
}

TEST_P(JobStoreContract, HeartbeatsTellOfClaimsThatWereFenced) {
  const WorkerId worker = register_worker("w1");
  planned("acme", worker, 1);
  const auto old = claim<PartitionWork>(worker);
  ASSERT_THAT(queue_->hand_back(old.claim), Succeeded());
  const auto current = claim<PartitionWork>(worker);
  const auto lost = queue_->heartbeat(worker, {progress_of(old.claim), progress_of(current.claim)});
  ASSERT_THAT(lost, Succeeded());
  EXPECT_THAT(*lost, ElementsAre(ClaimOf(old.claim)));
}

TEST_P(JobStoreContract, CleaningIsNoLostClaim) {
  const WorkerId worker = register_worker("w1");
  succeeded("acme", worker);
  const auto cleaning = claim<CleanWork>(worker);
  EXPECT_THAT(*queue_->heartbeat(worker, {}), IsEmpty());
  EXPECT_THAT(*queue_->heartbeat(worker, {progress_of(cleaning.claim)}), IsEmpty());
}

TEST_P(JobStoreContract, AWorkerThatNoLongerListsACancelledClaimHasLetGo) {
  const WorkerId worker = register_worker("w1");
  const WorkerId cleaner = register_worker("w2");
  const ExportJob job = planned("acme", worker, 1);
  const auto work = claim<PartitionWork>(worker);
  ASSERT_THAT(jobs_->cancel(job.tenant, job.id), Succeeded());
  advance(seconds{3});
  // It could have taken the claim just after it wrote this heartbeat, so not listing it says nothing yet.
  ASSERT_THAT(queue_->heartbeat(worker, {}), Succeeded());
  EXPECT_TRUE(idle(cleaner));
  advance(seconds{3});
  ASSERT_THAT(queue_->heartbeat(worker, {progress_of(work.claim)}), Succeeded());
  EXPECT_TRUE(idle(cleaner)) << "it is still stopping";
  advance(seconds{3});
  ASSERT_THAT(queue_->heartbeat(worker, {}), Succeeded());
  claim<CleanWork>(cleaner);
}

TEST_P(JobStoreContract, AClaimThatItsWorkerKnowsNothingOfGoesToOthers) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 2);
  advance(seconds{1});
  const auto known = claim<PartitionWork>(worker);
  const auto forgotten = claim<PartitionWork>(worker);  // as if the answer had been lost
  const ExportJob other = insert("globex");
  const auto plan = claim<PlanWork>(worker);
  advance(seconds{1});
  // It may have been taken while this heartbeat was under way.
  EXPECT_THAT(*queue_->heartbeat(worker, {progress_of(known.claim), progress_of(plan.claim)}), IsEmpty());
  EXPECT_EQ(partition(job, 1).state, PartitionState::running);
  advance(seconds{1});
  EXPECT_THAT(*queue_->heartbeat(worker, {progress_of(known.claim)}), IsEmpty());
  EXPECT_EQ(partition(job, 0).state, PartitionState::running);
  EXPECT_EQ(partition(job, 1).state, PartitionState::pending);
  const WorkerId heir = register_worker("w2");
  EXPECT_EQ(claim_of<PartitionWork>(job, heir).partition.index, 1);
  EXPECT_EQ(claim_of<PlanWork>(other, heir).job.attempts, 2);
  // Had it worked on them after all, it would find out.
  EXPECT_THAT(queue_->checkpoint(forgotten.claim, make_part(0)), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->save_plan(plan.claim, {}, 1, 1), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->checkpoint(known.claim, make_part(0)), Succeeded());
}

// --- offices

TEST_P(JobStoreContract, AnOfficeHasOneHolderAtATime) {
  EXPECT_TRUE(*queue_->hold_office("sweeper", "a", seconds{10}));
  EXPECT_FALSE(*queue_->hold_office("sweeper", "b", seconds{10}));
  EXPECT_TRUE(*queue_->hold_office("another", "b", seconds{10}));
  advance(seconds{9});
  EXPECT_TRUE(*queue_->hold_office("sweeper", "a", seconds{10}));
  advance(seconds{9});
  EXPECT_FALSE(*queue_->hold_office("sweeper", "b", seconds{10}));
  advance(seconds{1});
  EXPECT_TRUE(*queue_->hold_office("sweeper", "b", seconds{10})) << "silence ends it";
  EXPECT_FALSE(*queue_->hold_office("sweeper", "a", seconds{10}));
  ASSERT_THAT(queue_->leave_office("sweeper", "a"), Succeeded()) << "it is not its any more";
  EXPECT_FALSE(*queue_->hold_office("sweeper", "a", seconds{10}));
  ASSERT_THAT(queue_->leave_office("sweeper", "b"), Succeeded());
  EXPECT_TRUE(*queue_->hold_office("sweeper", "a", seconds{10}));
}

// --- whose work comes next

TEST_P(JobStoreContract, ATenantsOldestJobGoesFirst) {
  const WorkerId worker = register_worker("w1");
  const ExportJob older = planned("acme", worker, 2);
  insert("acme");
  EXPECT_EQ(claim<PartitionWork>(worker).job.id, older.id);
  EXPECT_EQ(claim<PartitionWork>(worker).job.id, older.id);
  claim<PlanWork>(worker);
}

TEST_P(JobStoreContract, ASmallExportDoesNotWaitBehindAnotherTenantsLargeOne) {
  const WorkerId worker = register_worker("w1");
  const ExportJob large = planned("acme", worker, 100);
  std::vector<Claim> running;
  for (int i = 0; i < 4; ++i) running.push_back(claim<PartitionWork>(worker).claim);
  const ExportJob small = insert("globex");
  const auto plan = claim<PlanWork>(worker);
  EXPECT_EQ(plan.job.id, small.id);
  EXPECT_EQ(claim<PartitionWork>(worker).job.id, large.id);
  ASSERT_THAT(queue_->save_plan(plan.claim, make_partitions(1), 1, 1), Succeeded());
  const auto partition_work = claim<PartitionWork>(worker);
  EXPECT_EQ(partition_work.job.id, small.id);
  ASSERT_THAT(queue_->complete_partition(partition_work.claim, 1, 1), Succeeded());
  EXPECT_EQ(claim<AssembleWork>(worker).job.id, small.id);
}

TEST_P(JobStoreContract, ClaimsRotateOverTenants) {
  const WorkerId worker = register_worker("w1");
  planned("acme", worker, 10);
  planned("globex", worker, 10);
  planned("initech", worker, 10);
  std::map<std::string, int> claims;
  for (int i = 0; i < 12; ++i) ++claims[claim<PartitionWork>(worker).job.tenant.str()];
  EXPECT_EQ(claims["acme"], 4);
  EXPECT_EQ(claims["globex"], 4);
  EXPECT_EQ(claims["initech"], 4);
}

TEST_P(JobStoreContract, LeftoversOfCancelledExportsGoFirst) {
  const WorkerId worker = register_worker("w1");
  planned("acme", worker, 10);
  const ExportJob later = planned("acme", worker, 1);
  ASSERT_THAT(jobs_->cancel(later.tenant, later.id), Succeeded());
  EXPECT_EQ(claim<CleanWork>(worker).job.id, later.id);
}

TEST_P(JobStoreContract, ExpiredFilesQueueByWhenTheyFellDue) {
  const WorkerId worker = register_worker("w1");
  const ExportJob old = succeeded("acme", worker);
  ASSERT_THAT(queue_->mark_clean(claim<CleanWork>(worker).claim), Succeeded());
  advance(std::chrono::hours{24 * 7} - seconds{1});
  const ExportJob before = insert("acme");
  advance(seconds{1});
  ASSERT_EQ(*queue_->expire_due(), 1);
  advance(seconds{1});
  insert("acme");
  EXPECT_EQ(claim<PlanWork>(worker).job.id, before.id);
  EXPECT_EQ(claim<CleanWork>(worker).job.id, old.id);
  claim<PlanWork>(worker);
}

}  // namespace
}  // namespace longshore
