#include "metadata/tests/snapshot_contract.h"

// Snapshots and their keepers: who keeps one, and what becomes of an export when nobody does.

namespace longshore {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

TEST_P(SnapshotContract, TheSnapshotGoesWithTheJob) {
  const WorkerId worker = register_worker("w1");
  const ExportJob inserted = insert("acme");
  const auto plan = claim<PlanWork>(worker);
  EXPECT_FALSE(plan.job.snapshot);
  const KeeperClaim keeper = keep_planned(plan, make_plan(2));
  EXPECT_EQ(keeper.worker, worker);
  EXPECT_EQ(keeper.seat, 0);
  EXPECT_THAT(importable(inserted.id), ElementsAre(kSnapshot.id));
  EXPECT_EQ(snapshots_->keepers_of(worker)->size(), 1U);

  const auto work = claim<PartitionWork>(worker);
  ASSERT_TRUE(work.job.snapshot);
  EXPECT_EQ(work.job.snapshot->id, kSnapshot.id);
  EXPECT_EQ(work.job.snapshot->lsn, kSnapshot.lsn);
  EXPECT_EQ(work.job.snapshot->server, kSnapshot.server);
  EXPECT_EQ(work.job.snapshot->system_identifier, kSnapshot.system_identifier);
  EXPECT_EQ(work.job.snapshot->taken_at, kSnapshot.taken_at);
  EXPECT_EQ(work.job.snapshot_losses, 0);
  ASSERT_THAT(queue_->complete_partition(work.claim, 1, 1), Succeeded());
  ASSERT_THAT(queue_->complete_partition(claim<PartitionWork>(worker).claim, 1, 1), Succeeded());
  EXPECT_THAT(*snapshots_->keepers_of(worker), IsEmpty()) << "nobody reads any more";
  const auto assembly = claim<AssembleWork>(worker);
  ASSERT_THAT(queue_->publish(assembly.claim, {}), Succeeded());
  ASSERT_TRUE(find(inserted).snapshot);
  EXPECT_EQ(find(inserted).snapshot->id, kSnapshot.id);
}

TEST_P(SnapshotContract, AnotherWorkerTakesTheSecondSeat) {
  const WorkerId one = register_worker("w1");
  const WorkerId two = register_worker("w2");
  const ExportJob job = insert("acme");
  keep_planned(claim<PlanWork>(one), make_plan(2));
  EXPECT_TRUE(no_seat(one)) << "it keeps the other one";
  EXPECT_TRUE(idle(two)) << "readers leave the connections to the second keeper";
  const KeeperWork seat = claim_seat(two);
  EXPECT_EQ(seat.job.id, job.id);
  EXPECT_EQ(seat.claim.seat, 1);
  EXPECT_THAT(seat.importable, ElementsAre(kSnapshot.id));
  EXPECT_EQ(seat.job.snapshot->server, kSnapshot.server);
  EXPECT_THAT(importable(job.id), ElementsAre(kSnapshot.id)) << "it is still importing";
  ASSERT_THAT(snapshots_->keep(seat.claim, "second"), Succeeded());
  EXPECT_THAT(importable(job.id), ElementsAre(kSnapshot.id, "second"));
  claim<PartitionWork>(two);
  EXPECT_TRUE(no_seat(two));
}

TEST_P(SnapshotContract, ReadersWaitForASecondKeeperOnlyAWhile) {
  const WorkerId one = register_worker("w1");
  register_worker("w2");
  insert("acme");
  keep_planned(claim<PlanWork>(one), make_plan(1));
  EXPECT_TRUE(idle(one));
  advance(seconds{3});
  claim<PartitionWork>(one);
}

TEST_P(SnapshotContract, ASingleSeatIsForASingleKeeper) {
  const WorkerId one = register_worker("w1");
  const WorkerId two = register_worker("w2");
  insert("acme");
  keep_planned(claim<PlanWork>(one), make_plan(1, 1));
  EXPECT_TRUE(no_seat(two));
  claim<PartitionWork>(two);
}

TEST_P(SnapshotContract, WithNothingToReadNothingIsKept) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  const auto plan = claim<PlanWork>(worker);
  ASSERT_EQ(*snapshots_->reserve_snapshot(plan.claim, 1, {}), true);
  const auto keeper = snapshots_->save_snapshot_plan(plan.claim, make_plan(0));
  ASSERT_THAT(keeper, Succeeded());
  EXPECT_FALSE(*keeper);
  EXPECT_THAT(*snapshots_->keepers_of(worker), IsEmpty());
  EXPECT_TRUE(claim<AssembleWork>(worker).job.snapshot);
  EXPECT_EQ(find(job).snapshot->id, kSnapshot.id);
}

TEST_P(SnapshotContract, APlanWithoutKeepersStoresItsSnapshotToo) {
  const WorkerId worker = register_worker("w1");
  insert("acme");
  const auto plan = claim<PlanWork>(worker);
  const auto keeper = snapshots_->save_snapshot_plan(plan.claim, make_plan(1, 0));
  ASSERT_THAT(keeper, Succeeded());
  EXPECT_FALSE(*keeper);
  EXPECT_EQ(claim<PartitionWork>(worker).job.snapshot->id, kSnapshot.id);
}

TEST_P(SnapshotContract, ADeadKeepersSeatIsTakenByAnother) {
  const WorkerId one = register_worker("w1");
  const WorkerId two = register_worker("w2");
  const ExportJob job = insert("acme");
  const KeeperClaim first = keep_planned(claim<PlanWork>(one), make_plan(1));
  const KeeperWork second = claim_seat(two);
  ASSERT_THAT(snapshots_->keep(second.claim, "second"), Succeeded());
  outlive(two);  // w1 is silent
  EXPECT_THAT(importable(job.id), ElementsAre("second"));
  EXPECT_EQ(find(job).snapshot_losses, 0);
  EXPECT_THAT(snapshots_->keep(first, "zombie"), FailedWith("claim_lost"));
  const WorkerId three = register_worker("w3");
  EXPECT_TRUE(no_seat(three)) << "not at once";
  advance(seconds{1});
  EXPECT_TRUE(no_seat(two));
  const KeeperWork third = claim_seat(three);
  EXPECT_EQ(third.claim.seat, 0);
  EXPECT_GT(third.claim.epoch, first.epoch);
  EXPECT_THAT(third.importable, ElementsAre("second"));
  ASSERT_THAT(snapshots_->leave_keeper(first, "late"), Succeeded());
  ASSERT_THAT(snapshots_->keep(third.claim, "third"), Succeeded());
  EXPECT_THAT(importable(job.id), ElementsAre("third", "second"));
  claim<PartitionWork>(three);
}

TEST_P(SnapshotContract, WithTheLastKeeperTheExportBeginsAgainFromZero) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  const KeeperClaim keeper = keep_planned(claim<PlanWork>(worker), make_plan(2));
  const auto old = claim<PartitionWork>(worker);
  ASSERT_THAT(queue_->checkpoint(old.claim, make_part(0)), Succeeded());
  ASSERT_THAT(queue_->complete_partition(old.claim, 500, 1000), Succeeded());
  const auto running = claim<PartitionWork>(worker);
  ASSERT_THAT(snapshots_->leave_keeper(keeper, "the server was restarted"), Succeeded());

  const ExportJob lost = find(job);
  EXPECT_EQ(lost.state, JobState::running);
  EXPECT_EQ(lost.snapshot_losses, 1);
  EXPECT_FALSE(lost.snapshot);
  EXPECT_EQ(lost.stale_upload_id, "upload-0");
  EXPECT_EQ(lost.upload_id, "");
  EXPECT_EQ(lost.row_count, 500) << "progress does not go back";
  EXPECT_EQ(lost.error_code, "snapshot_lost");
  EXPECT_THAT(lost.error_message, AllOf(HasSubstr("the server was restarted"), HasSubstr("restart 1 of at most 3")));
  EXPECT_THAT(*jobs_->partitions(job.id), IsEmpty());
  EXPECT_THAT(*jobs_->parts(job.id, 0), IsEmpty());
  EXPECT_THAT(queue_->checkpoint(running.claim, make_part(0)), FailedWith("claim_lost"));
  const auto beat = queue_->heartbeat(worker, {{.claim = running.claim, .rows = 7, .bytes = 7, .source_pressure = {}}});
  ASSERT_THAT(beat, Succeeded());
  EXPECT_EQ(beat->size(), 1U);

  const auto plan = claim<PlanWork>(worker);
  EXPECT_EQ(plan.job.snapshot_losses, 1);
  SnapshotPlan again = make_plan(2);
  again.estimated_rows = 2000;
  const KeeperClaim next = keep_planned(plan, again);
  EXPECT_GT(next.epoch, keeper.epoch) << "the old claim must not fit the new seat";
  EXPECT_EQ(find(job).estimated_rows, 1000) << "or the percentage would fall";
  EXPECT_EQ(find(job).row_count, 500);
  EXPECT_EQ(find(job).error_code, "");
  EXPECT_EQ(find(job).upload_id, "upload-1");
  const auto fresh = claim<PartitionWork>(worker);
  EXPECT_EQ(fresh.partition.index, 0);
  EXPECT_GT(fresh.claim.epoch, old.claim.epoch) << "nor an old claim a new partition";
  EXPECT_GT(fresh.claim.epoch, running.claim.epoch);
  EXPECT_THAT(fresh.parts, IsEmpty());
  EXPECT_THAT(queue_->checkpoint(old.claim, make_part(0)), FailedWith("claim_lost"));
  ASSERT_THAT(snapshots_->leave_keeper(keeper, "late"), Succeeded());
  EXPECT_EQ(find(job).snapshot_losses, 1);
  EXPECT_THAT(queue_->checkpoint(fresh.claim, make_part(0)), Succeeded());
}

TEST_P(SnapshotContract, ALostSnapshotFailsTheExportWhereTheCatalogSaysSo) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  SnapshotPlan plan = make_plan(1);
  plan.on_loss = SnapshotLoss::fail;
  const KeeperClaim keeper = keep_planned(claim<PlanWork>(worker), plan);
  const auto work = claim<PartitionWork>(worker);
  ASSERT_THAT(snapshots_->leave_keeper(keeper, "recovery conflict"), Succeeded());
  EXPECT_EQ(find(job).state, JobState::failed);
  EXPECT_EQ(find(job).error_code, "snapshot_lost");
  EXPECT_THAT(find(job).error_message,
              AllOf(HasSubstr("recovery conflict"), HasSubstr("on_snapshot_loss: fail"), HasSubstr("export it again")));
  EXPECT_THAT(queue_->checkpoint(work.claim, make_part(0)), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->hand_back(work.claim), FailedWith("claim_lost"));
  claim<CleanWork>(worker);
}

TEST_P(SnapshotContract, AfterThreeRestartsItFails) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  for (int losses = 0; losses <= kMaxSnapshotRestarts; ++losses) {
    EXPECT_EQ(find(job).snapshot_losses, losses);
    const auto plan = claim<PlanWork>(worker);
    const KeeperClaim keeper = keep_planned(plan, make_plan(1));
    ASSERT_THAT(snapshots_->leave_keeper(keeper, "gone"), Succeeded());
    advance(seconds{5});
  }
  EXPECT_EQ(find(job).state, JobState::failed);
  EXPECT_EQ(find(job).error_code, "snapshot_lost");
  EXPECT_THAT(find(job).error_message, HasSubstr("begun again 3 times"));
}

TEST_P(SnapshotContract, WhoeverImportsMayHaveItAlready) {
  const WorkerId one = register_worker("w1");
  const WorkerId two = register_worker("w2");
  const ExportJob job = insert("acme");
  const KeeperClaim first = keep_planned(claim<PlanWork>(one), make_plan(1));
  const KeeperWork second = claim_seat(two);
  ASSERT_THAT(snapshots_->leave_keeper(first, "killed"), Succeeded());
  EXPECT_EQ(find(job).snapshot_losses, 0);
  ASSERT_THAT(snapshots_->keep(second.claim, "second"), Succeeded());
  EXPECT_THAT(importable(job.id), ElementsAre("second"));
  ASSERT_THAT(snapshots_->leave_keeper(second.claim, "killed too"), Succeeded());
  EXPECT_EQ(find(job).snapshot_losses, 1);
}

TEST_P(SnapshotContract, AnImportThatFailsAfterTheLastKeeperLosesTheSnapshot) {
  const WorkerId one = register_worker("w1");
  const WorkerId two = register_worker("w2");
  const ExportJob job = insert("acme");
  keep_planned(claim<PlanWork>(one), make_plan(1));
  const KeeperWork second = claim_seat(two);
  outlive(two);
  EXPECT_EQ(find(job).snapshot_losses, 0);
  ASSERT_THAT(snapshots_->leave_keeper(second.claim, "cannot import"), Succeeded());
  EXPECT_EQ(find(job).snapshot_losses, 1);
}

TEST_P(SnapshotContract, AWorkerThatDiesAloneTakesTheSnapshotAndItsClaimsWithIt) {
  const WorkerId one = register_worker("w1");
  const ExportJob job = insert("acme");
  keep_planned(claim<PlanWork>(one), make_plan(2));
  claim<PartitionWork>(one);
  const WorkerId heir = register_worker("heir");
  outlive(heir);
  EXPECT_EQ(find(job).snapshot_losses, 1);
  EXPECT_THAT(find(job).error_message, HasSubstr("worker w1"));
  const auto plan = claim<PlanWork>(heir);
  keep_planned(plan, make_plan(2));
  EXPECT_EQ(snapshots_->keepers_of(heir)->size(), 1U);
}

TEST_P(SnapshotContract, RetiringLeavesTheSeatToTheOtherKeeper) {
  const WorkerId one = register_worker("w1");
  const WorkerId two = register_worker("w2");
  const ExportJob job = insert("acme");
  keep_planned(claim<PlanWork>(one), make_plan(1));
  ASSERT_THAT(snapshots_->keep(claim_seat(two).claim, "second"), Succeeded());
  ASSERT_THAT(queue_->retire_worker(one), Succeeded());
  EXPECT_THAT(importable(job.id), ElementsAre("second"));
  ASSERT_THAT(queue_->retire_worker(two), Succeeded());
  EXPECT_EQ(find(job).snapshot_losses, 1) << "the last one cannot leave it to anybody";
  EXPECT_THAT(find(job).error_message, HasSubstr("was shut down"));
}

TEST_P(SnapshotContract, CancellingDismissesTheKeepers) {
  const WorkerId one = register_worker("w1");
  const WorkerId two = register_worker("w2");
  const ExportJob job = insert("acme");
  const KeeperClaim first = keep_planned(claim<PlanWork>(one), make_plan(1));
  const KeeperWork second = claim_seat(two);
  ASSERT_THAT(jobs_->cancel(job.tenant, job.id), Succeeded());
  EXPECT_THAT(*snapshots_->keepers_of(one), IsEmpty());
  EXPECT_THAT(*snapshots_->keepers_of(two), IsEmpty());
  EXPECT_THAT(importable(job.id), IsEmpty());
  EXPECT_THAT(snapshots_->keep(second.claim, "late"), FailedWith("claim_lost"));
  ASSERT_THAT(snapshots_->leave_keeper(first, "dismissed"), Succeeded());
  EXPECT_EQ(find(job).state, JobState::cancelled);
}

TEST_P(SnapshotContract, ASourceHasSoManyPlacesForSnapshots) {
  const WorkerId worker = register_worker("w1");
  const ExportJob first = insert("acme");
  const ExportJob second = insert("globex");
  const auto one = claim_of<PlanWork>(first, worker);
  const auto two = claim_of<PlanWork>(second, worker);
  ASSERT_EQ(*snapshots_->reserve_snapshot(one.claim, 1, seconds{2}), true);
  ASSERT_EQ(*snapshots_->reserve_snapshot(one.claim, 1, seconds{2}), true) << "it has one";
  ASSERT_EQ(*snapshots_->reserve_snapshot(two.claim, 1, seconds{2}), false);
  EXPECT_THAT(find(second).source_pressure, AllOf(HasSubstr("paused"), HasSubstr("another snapshot export")));
  EXPECT_EQ(find(second).attempts, 0) << "waiting is no failure";
  EXPECT_THAT(snapshots_->save_snapshot_plan(two.claim, make_plan(1)), FailedWith("claim_lost"));
  EXPECT_TRUE(idle(worker));
  ASSERT_THAT(jobs_->cancel(first.tenant, first.id), Succeeded());
  ASSERT_THAT(queue_->hand_back(one.claim), FailedWith("claim_lost"));
  advance(seconds{2});
  const auto again = claim_of<PlanWork>(second, worker);
  ASSERT_EQ(*snapshots_->reserve_snapshot(again.claim, 1, seconds{2}), true);
  EXPECT_EQ(find(second).source_pressure, "");
}

TEST_P(SnapshotContract, AZombiePlannerSavesNoSnapshot) {
  const WorkerId zombie = register_worker("zombie");
  const ExportJob job = insert("acme");
  const auto old = claim<PlanWork>(zombie);
  ASSERT_EQ(*snapshots_->reserve_snapshot(old.claim, 1, {}), true);
  const WorkerId heir = register_worker("heir");
  outlive(heir);
  const auto plan = claim<PlanWork>(heir);
  EXPECT_THAT(snapshots_->save_snapshot_plan(old.claim, make_plan(3)), FailedWith("claim_lost"));
  EXPECT_THAT(snapshots_->reserve_snapshot(old.claim, 1, {}), FailedWith("claim_lost"));
  keep_planned(plan, make_plan(1));
  EXPECT_EQ(jobs_->partitions(job.id)->size(), 1U);
  EXPECT_EQ(snapshots_->keepers_of(heir)->size(), 1U);
}

TEST_P(SnapshotContract, ALostCopyIsReportedByItsReaders) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  const auto plan = claim<PlanWork>(worker);
  ASSERT_EQ(*snapshots_->reserve_snapshot(plan.claim, 1, {}), true);
  ASSERT_THAT(queue_->save_upload(plan.claim, "upload-0"), Succeeded());
  ASSERT_THAT(snapshots_->save_snapshot_plan(plan.claim, make_plan(2, 0)), Succeeded());
  const auto first = claim<PartitionWork>(worker);
  const auto second = claim<PartitionWork>(worker);
  ASSERT_THAT(queue_->checkpoint(first.claim, make_part(0)), Succeeded());
  ASSERT_THAT(snapshots_->lose_copy(second.claim, "somebody dropped it"), Succeeded());
  EXPECT_EQ(find(job).snapshot_losses, 1);
  EXPECT_THAT(find(job).error_message,
              AllOf(HasSubstr("the copy was lost (somebody dropped it)"), HasSubstr("restart 1")));
  EXPECT_EQ(find(job).stale_upload_id, "upload-0");
  EXPECT_THAT(snapshots_->lose_copy(first.claim, "so it is"), FailedWith("claim_lost")) << "it is counted once";
  EXPECT_THAT(queue_->checkpoint(first.claim, make_part(1)), FailedWith("claim_lost"));
  EXPECT_EQ(find(job).snapshot_losses, 1);

  const auto again = claim<PlanWork>(worker);
  EXPECT_EQ(again.job.snapshot_losses, 1);
  ASSERT_EQ(*snapshots_->reserve_snapshot(again.claim, 1, {}), true);
  ASSERT_THAT(snapshots_->save_snapshot_plan(again.claim, make_plan(1, 0)), Succeeded());
  EXPECT_GT(claim<PartitionWork>(worker).claim.epoch, first.claim.epoch);
}

TEST_P(SnapshotContract, AMomentIsNotedByItsReaderAndLostWithIt) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  const auto plan = claim<PlanWork>(worker);
  SnapshotPlan whole = make_plan(1, 0);
  whole.partitions.front().range = {};
  ASSERT_THAT(snapshots_->save_snapshot_plan(plan.claim, whole), Succeeded());
  const auto work = claim<PartitionWork>(worker);
  EXPECT_EQ(work.partition.range.after, std::nullopt);
  EXPECT_EQ(work.partition.range.upto, std::nullopt);
  ExportSnapshot moment;
  moment.server = "db:3306/shop";
  ASSERT_THAT(snapshots_->note_moment(work.claim, moment), Succeeded());
  EXPECT_EQ(find(job).snapshot->server, "db:3306/shop");
  ASSERT_THAT(snapshots_->lose_moment(work.claim, "the server was restarted"), Succeeded());
  EXPECT_EQ(find(job).snapshot_losses, 1);
  EXPECT_THAT(find(job).error_message,
              AllOf(HasSubstr("the snapshot was lost (the server was restarted)"), HasSubstr("restart 1")));
  EXPECT_THAT(snapshots_->note_moment(work.claim, moment), FailedWith("claim_lost"));
  EXPECT_THAT(snapshots_->lose_moment(work.claim, "so it is"), FailedWith("claim_lost"));
}

TEST_P(SnapshotContract, ALostCopyFailsTheExportWhereTheCatalogSaysSo) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  const auto plan = claim<PlanWork>(worker);
  SnapshotPlan strict = make_plan(1, 0);
  strict.on_loss = SnapshotLoss::fail;
  ASSERT_THAT(snapshots_->save_snapshot_plan(plan.claim, strict), Succeeded());
  const auto work = claim<PartitionWork>(worker);
  ASSERT_THAT(snapshots_->lose_copy(work.claim, "the server was restored"), Succeeded());
  EXPECT_EQ(find(job).state, JobState::failed);
  EXPECT_EQ(find(job).error_code, "snapshot_lost");
  EXPECT_THAT(find(job).error_message,
              AllOf(HasSubstr("the copy that this export reads is lost"), HasSubstr("the server was restored"),
                    HasSubstr("on_snapshot_loss: fail")));
  EXPECT_THAT(queue_->hand_back(work.claim), FailedWith("claim_lost"));
  claim<CleanWork>(worker);
}

TEST_P(SnapshotContract, CopiesAreMadeOneAtATimeWhateverSnapshotsAreKept) {
  const WorkerId worker = register_worker("w1");
  insert("acme");
  keep_planned(claim<PlanWork>(worker), make_plan(1, 1));
  claim<PartitionWork>(worker);
  const auto insert_copied = [&](const std::string& tenant) {
    NewJob wanted = new_job(tenant);
    wanted.job.spec.consistency = Consistency::materialized;
    const auto inserted = jobs_->insert(wanted);
    EXPECT_THAT(inserted, Succeeded());
    return inserted->job;
  };
  const ExportJob first = insert_copied("acme");
  const ExportJob second = insert_copied("globex");
  const auto one = claim_of<PlanWork>(first, worker);
  const auto two = claim_of<PlanWork>(second, worker);
  ASSERT_EQ(*snapshots_->reserve_snapshot(one.claim, 1, seconds{2}), true);
  ASSERT_EQ(*snapshots_->reserve_snapshot(two.claim, 1, seconds{2}), false);
  EXPECT_THAT(find(second).source_pressure, HasSubstr("another export of source"));
  ASSERT_THAT(snapshots_->save_snapshot_plan(one.claim, make_plan(1, 0)), Succeeded());
  advance(seconds{2});
  const auto again = claim_of<PlanWork>(second, worker);
  EXPECT_EQ(*snapshots_->reserve_snapshot(again.claim, 1, seconds{2}), true) << "the first one is made";
}

TEST_P(SnapshotContract, TheDeploymentHasANameOfItsOwn) {
  const auto name = snapshots_->deployment();
  ASSERT_THAT(name, Succeeded());
  EXPECT_THAT(*name, testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(name->size(), 32U);
  EXPECT_EQ(*snapshots_->deployment(), *name);
}

}  // namespace
}  // namespace longshore
