#include "metadata/tests/job_store_contract.h"

// The way of a job through its claims, and the guards of every write.

namespace longshore {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_P(JobStoreContract, AJobGoesThroughAllItsWork) {
  const WorkerId worker = register_worker("w1");
  const ExportJob inserted = insert("acme");

  const auto plan = claim<PlanWork>(worker);
  EXPECT_EQ(plan.job.id, inserted.id);
  EXPECT_EQ(plan.job.state, JobState::running);
  EXPECT_EQ(plan.job.attempts, 1);
  EXPECT_EQ(plan.job.started_at, *jobs_->now());
  EXPECT_TRUE(idle(worker));
  ASSERT_THAT(queue_->save_upload(plan.claim, "upload-1"), Succeeded());
  EXPECT_EQ(find(inserted).upload_id, "upload-1");
  ASSERT_THAT(queue_->save_plan(plan.claim, make_partitions(2), 8 << 20, 12345), Succeeded());
  EXPECT_EQ(find(inserted).partition_count, 2);
  EXPECT_EQ(find(inserted).part_size, 8 << 20);
  EXPECT_EQ(find(inserted).estimated_rows, 12345);

  const auto first = claim<PartitionWork>(worker);
  const auto second = claim<PartitionWork>(worker);
  EXPECT_EQ(first.partition.index, 0);
  EXPECT_EQ(second.partition.index, 1);
  EXPECT_EQ(first.partition.state, PartitionState::running);
  EXPECT_EQ(first.partition.range.after, std::nullopt);
  EXPECT_EQ(second.partition.range.after, KeyTuple{"1000"});
  EXPECT_EQ(second.partition.range.upto, KeyTuple{"2000"});
  EXPECT_EQ(second.partition.base_part_number, 11);
  EXPECT_EQ(second.partition.part_slots, 10);
  EXPECT_EQ(second.job.upload_id, "upload-1");
  EXPECT_THAT(first.parts, IsEmpty());
  EXPECT_TRUE(idle(worker));

  ASSERT_THAT(queue_->checkpoint(second.claim, make_part(0)), Succeeded());
  ASSERT_THAT(queue_->complete_partition(second.claim, 100, 1000), Succeeded());
  EXPECT_TRUE(idle(worker));  // not ready for assembly: the first is still running
  ASSERT_THAT(queue_->complete_partition(first.claim, 0, 0), Succeeded());
  EXPECT_EQ(partition(inserted, 1).state, PartitionState::completed);
  EXPECT_EQ(partition(inserted, 1).row_count, 100);
  EXPECT_EQ(partition(inserted, 1).worker, "w1");

  const auto assembly = claim<AssembleWork>(worker);
  EXPECT_EQ(assembly.job.row_count, 100);
  EXPECT_EQ(assembly.job.attempts, 1);
  advance(seconds{30});
  ASSERT_THAT(queue_->publish(assembly.claim, {.rows = 100, .bytes = 1033}), Succeeded());
  const ExportJob done = find(inserted);
  EXPECT_EQ(done.state, JobState::succeeded);
  EXPECT_EQ(done.row_count, 100);
  EXPECT_EQ(done.byte_count, 1033);
  EXPECT_EQ(done.completed_at, *jobs_->now());
  EXPECT_EQ(done.expires_at, *done.completed_at + std::chrono::hours{24 * 7});

  const auto cleaning = claim<CleanWork>(worker);
  EXPECT_EQ(cleaning.job.state, JobState::succeeded);
  ASSERT_THAT(queue_->mark_clean(cleaning.claim), Succeeded());
  EXPECT_TRUE(idle(worker));
}

TEST_P(JobStoreContract, APlanWithoutPartitionsIsReadyForAssembly) {
  const WorkerId worker = register_worker("w1");
  planned("acme", worker, 0);
  claim<AssembleWork>(worker);
}

TEST_P(JobStoreContract, AnEmptyRangeAndCompositeKeysComeBack) {
  const WorkerId worker = register_worker("w1");
  insert("acme");
  const auto plan = claim<PlanWork>(worker);
  auto partitions = make_partitions(2);
  partitions[0].range = {.after = std::nullopt, .upto = std::nullopt, .empty = true};
  partitions[1].range.after = KeyTuple{"a\"\\\n", "", std::string(1000, 'x') + "ü"};
  partitions[1].range.upto = std::nullopt;
  ASSERT_THAT(queue_->save_plan(plan.claim, partitions, 1, 0), Succeeded());
  EXPECT_TRUE(partition(plan.job, 0).range.empty);
  EXPECT_EQ(partition(plan.job, 1).range.after, partitions[1].range.after);
  EXPECT_EQ(partition(plan.job, 1).range.upto, std::nullopt);
}

TEST_P(JobStoreContract, KeysThatAreNoTextComeBackAsTheyWere) {
  const WorkerId worker = register_worker("w1");
  insert("acme");
  const auto plan = claim<PlanWork>(worker);
  auto partitions = make_partitions(1);
  const std::string bytes("\xff\x00 caf\xe9", 7);
  partitions[0].range.after = KeyTuple{bytes};
  ASSERT_THAT(queue_->save_plan(plan.claim, partitions, 1, 0), Succeeded());
  const auto work = claim<PartitionWork>(worker);
  EXPECT_EQ(work.partition.range.after, KeyTuple{bytes});
  Part part = make_part(0);
  part.last_key = {bytes, "\xc3"};
  ASSERT_THAT(queue_->checkpoint(work.claim, part), Succeeded());
  EXPECT_EQ((*jobs_->parts(plan.job.id, 0))[0].last_key, part.last_key);
  // Words that only people read are made readable.
  ASSERT_THAT(queue_->give_up(work.claim, external_error("bad_value", "not text: " + bytes, false), {}), Succeeded());
  EXPECT_EQ(find(plan.job).error_message, "not text: \xEF\xBF\xBD\xEF\xBF\xBD caf\xEF\xBF\xBD");
}

TEST_P(JobStoreContract, AnyNumberOfPartitionsIsKept) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 121);
  const auto partitions = jobs_->partitions(job.id);
  ASSERT_THAT(partitions, Succeeded());
  ASSERT_EQ(partitions->size(), 121U);
  for (int i = 0; i < 121; ++i) {
    EXPECT_EQ((*partitions)[static_cast<std::size_t>(i)].index, i);
    EXPECT_EQ((*partitions)[static_cast<std::size_t>(i)].base_part_number, 1 + i * 10);
    EXPECT_EQ((*partitions)[static_cast<std::size_t>(i)].range.upto, KeyTuple{std::to_string((i + 1) * 1000)});
  }
}

TEST_P(JobStoreContract, PartitionsOutOfOrderAreABug) {
  const WorkerId worker = register_worker("w1");
  insert("acme");
  const auto plan = claim<PlanWork>(worker);
  auto partitions = make_partitions(2);
  std::swap(partitions[0], partitions[1]);
  EXPECT_THAT(queue_->save_plan(plan.claim, partitions, 1, 0), FailedWith("bad_plan"));
}

TEST_P(JobStoreContract, CheckpointsComeBackToWhoeverResumes) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 1);
  const auto work = claim<PartitionWork>(worker);
  ASSERT_THAT(queue_->checkpoint(work.claim, make_part(0, 100, 1000)), Succeeded());
  ASSERT_THAT(queue_->checkpoint(work.claim, make_part(1, 50, 500)), Succeeded());
  ASSERT_THAT(queue_->hand_back(work.claim), Succeeded());
  const auto resumed = claim<PartitionWork>(worker);
  ASSERT_EQ(resumed.parts.size(), 2U);
  const Part expected = make_part(1, 50, 500);
  const Part& part = resumed.parts[1];
  EXPECT_EQ(part.sequence, 1);
  EXPECT_EQ(part.number, expected.number);
  EXPECT_EQ(part.etag, expected.etag);
  EXPECT_EQ(part.bytes, 500);
  EXPECT_EQ(part.sha256, expected.sha256);
  EXPECT_EQ(part.crc32c, expected.crc32c);
  EXPECT_EQ(part.last_key, expected.last_key);
  EXPECT_EQ(part.summary, expected.summary);
  EXPECT_EQ(resumed.partition.row_count, 150);
  EXPECT_EQ(resumed.partition.byte_count, 1500);
  EXPECT_EQ(jobs_->parts(job.id, 0)->size(), 2U);
  EXPECT_THAT(*jobs_->parts(job.id, 1), IsEmpty());
}

TEST_P(JobStoreContract, ASequenceIsWrittenOnceAndWithoutGaps) {
  const WorkerId worker = register_worker("w1");
  planned("acme", worker, 1);
  const auto work = claim<PartitionWork>(worker);
  ASSERT_THAT(queue_->checkpoint(work.claim, make_part(0)), Succeeded());
  const auto again = queue_->checkpoint(work.claim, make_part(0));
  EXPECT_THAT(again, FailedWith("duplicate_part"));
  EXPECT_EQ(again.error().source, ErrorSource::internal);
  EXPECT_THAT(queue_->checkpoint(work.claim, make_part(2)), FailedWith("part_out_of_order"));
  EXPECT_THAT(queue_->checkpoint(work.claim, make_part(1)), Succeeded());
}

TEST_P(JobStoreContract, AssemblyCheckpointsItsGluedParts) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = assembling("acme", worker);
  auto work = claim<AssembleWork>(worker);
  ASSERT_THAT(queue_->checkpoint(work.claim, make_part(0)), Succeeded());
  ASSERT_THAT(queue_->hand_back(work.claim), Succeeded());
  EXPECT_THAT(queue_->checkpoint(work.claim, make_part(1)), FailedWith("claim_lost"));
  work = claim<AssembleWork>(worker);
  ASSERT_THAT(queue_->checkpoint(work.claim, make_part(1)), Succeeded());
  EXPECT_EQ(jobs_->parts(job.id, -1)->size(), 2U);
  EXPECT_EQ(jobs_->parts(job.id, 0)->size(), 1U);
  EXPECT_THAT(queue_->publish(work.claim, {}), Succeeded());
}

TEST_P(JobStoreContract, AssemblyThatMovesOnIsNotFailedByOldAttempts) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = assembling("acme", worker);
  for (int i = 0; i < 5; ++i) {
    const auto work = claim<AssembleWork>(worker);
    ASSERT_THAT(queue_->checkpoint(work.claim, make_part(i)), Succeeded());
    EXPECT_EQ(find(job).error_code, "");
    const auto failed = queue_->give_up(work.claim, kHiccup, {.max_attempts = 2});
    ASSERT_THAT(failed, Succeeded());
    EXPECT_FALSE(*failed);
    advance(seconds{60});
  }
}

TEST_P(JobStoreContract, ASmallExportIsCompletedAndPublishedAtOnce) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 1);
  const auto work = claim<PartitionWork>(worker);
  ASSERT_THAT(queue_->complete_and_publish(work.claim, 7, {.rows = 7, .bytes = 77}), Succeeded());
  EXPECT_EQ(find(job).state, JobState::succeeded);
  EXPECT_EQ(find(job).row_count, 7);
  EXPECT_EQ(find(job).byte_count, 77);
  EXPECT_EQ(partition(job, 0).state, PartitionState::completed);
  claim<CleanWork>(worker);
  EXPECT_THAT(queue_->complete_and_publish(work.claim, 7, {.rows = 7, .bytes = 77}), FailedWith("claim_lost"));
}

TEST_P(JobStoreContract, OnePartitionOfSeveralIsNotAFile) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 2);
  const auto work = claim<PartitionWork>(worker);
  EXPECT_THAT(queue_->complete_and_publish(work.claim, 7, {.rows = 7, .bytes = 77}), FailedWith("bad_publish"));
  EXPECT_EQ(find(job).state, JobState::running);
  EXPECT_EQ(partition(job, 0).state, PartitionState::running);
}

// --- guards

TEST_P(JobStoreContract, AZombieWritesNothing) {
  const WorkerId zombie = register_worker("zombie");
  const ExportJob job = planned("acme", zombie, 1);
  const auto old = claim<PartitionWork>(zombie);
  ASSERT_THAT(queue_->checkpoint(old.claim, make_part(0)), Succeeded());
  advance(kLease);
  const WorkerId heir = register_worker("heir");
  ASSERT_EQ(*queue_->free_lost_claims(kLease, {}), 1);
  // Between the loss and the takeover as well as after it.
  EXPECT_THAT(queue_->checkpoint(old.claim, make_part(1)), FailedWith("claim_lost"));
  const auto taken = claim<PartitionWork>(heir);
  EXPECT_GT(taken.claim.epoch, old.claim.epoch);
  EXPECT_EQ(taken.parts.size(), 1U);
  EXPECT_THAT(queue_->checkpoint(old.claim, make_part(1)), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->complete_partition(old.claim, 1, 1), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->complete_and_publish(old.claim, 1, {}), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->give_up(old.claim, kPoison, {}), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->hand_back(old.claim), FailedWith("claim_lost"));
  EXPECT_EQ(jobs_->parts(job.id, 0)->size(), 1U);
  EXPECT_EQ(partition(job, 0).worker, "heir");
  EXPECT_EQ(find(job).state, JobState::running);
  EXPECT_THAT(queue_->checkpoint(taken.claim, make_part(1)), Succeeded());
}

TEST_P(JobStoreContract, TheSameWorkerInAnOldEpochIsAZombieToo) {
  const WorkerId worker = register_worker("w1");
  planned("acme", worker, 1);
  const auto old = claim<PartitionWork>(worker);
  ASSERT_THAT(queue_->hand_back(old.claim), Succeeded());
  const auto current = claim<PartitionWork>(worker);
  EXPECT_THAT(queue_->checkpoint(old.claim, make_part(0)), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->checkpoint(current.claim, make_part(0)), Succeeded());
}

TEST_P(JobStoreContract, AZombiePlannerAndAssemblerWriteNothing) {
  const WorkerId zombie = register_worker("zombie");
  const ExportJob job = insert("acme");
  const auto plan = claim<PlanWork>(zombie);
  ASSERT_THAT(queue_->save_upload(plan.claim, "upload-1"), Succeeded());
  advance(kLease);
  const WorkerId heir = register_worker("heir");
  ASSERT_EQ(*queue_->free_lost_claims(kLease, {}), 1);
  const auto again = claim<PlanWork>(heir);
  EXPECT_EQ(again.job.upload_id, "upload-1");
  EXPECT_EQ(again.job.attempts, 2);
  EXPECT_EQ(again.job.started_at, plan.job.started_at);
  EXPECT_THAT(queue_->save_upload(plan.claim, "upload-2"), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->save_plan(plan.claim, make_partitions(3), 1, 1), FailedWith("claim_lost"));
  ASSERT_THAT(queue_->save_plan(again.claim, make_partitions(0), 1, 1), Succeeded());
  const auto assembly = claim<AssembleWork>(heir);
  EXPECT_THAT(queue_->save_plan(again.claim, make_partitions(3), 1, 1), FailedWith("claim_lost"));
  // A claim of one kind does not do the work of another.
  EXPECT_THAT(queue_->save_plan(assembly.claim, make_partitions(3), 1, 1), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->mark_clean(assembly.claim), FailedWith("claim_lost"));
  ASSERT_THAT(queue_->publish(assembly.claim, {}), Succeeded());
  EXPECT_THAT(queue_->publish(assembly.claim, {}), FailedWith("claim_lost"));
  EXPECT_EQ(find(job).upload_id, "upload-1");
}

TEST_P(JobStoreContract, AClaimOfNothingIsLost) {
  const Claim claim{.worker = WorkerId("w"), .job = new_id(), .partition = 3, .epoch = 1};
  const auto status = queue_->checkpoint(claim, make_part(0));
  ASSERT_THAT(status, FailedWith("claim_lost"));
  EXPECT_FALSE(status.error().retriable);
  EXPECT_THAT(status.error().message, HasSubstr("partition 3 of export " + claim.job.str()));
}

// --- cancelling

TEST_P(JobStoreContract, CancellingAQueuedJobLeavesNothingToDo) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  const auto cancelled = jobs_->cancel(job.tenant, job.id);
  ASSERT_THAT(cancelled, Succeeded());
  EXPECT_EQ(cancelled->state, JobState::cancelled);
  EXPECT_EQ(cancelled->completed_at, *jobs_->now());
  EXPECT_TRUE(idle(worker));
  const auto again = jobs_->cancel(job.tenant, job.id);
  ASSERT_THAT(again, FailedWith("export_finished"));
  EXPECT_THAT(again.error().message, HasSubstr("CANCELLED"));
}

TEST_P(JobStoreContract, CleaningOfACancelledJobWaitsUntilItsWriterLetsGo) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 2);
  const auto work = claim<PartitionWork>(worker);
  ASSERT_THAT(jobs_->cancel(job.tenant, job.id), Succeeded());
  EXPECT_TRUE(idle(worker));  // neither the other partition nor cleaning
  EXPECT_THAT(queue_->checkpoint(work.claim, make_part(0)), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->complete_partition(work.claim, 1, 1), FailedWith("claim_lost"));
  EXPECT_THAT(*jobs_->parts(job.id, 0), IsEmpty());
  EXPECT_TRUE(idle(worker));  // it may still have uploads under way
  EXPECT_THAT(queue_->hand_back(work.claim), FailedWith("claim_lost"));
  const auto cleaning = claim<CleanWork>(worker);
  EXPECT_EQ(cleaning.job.state, JobState::cancelled);
  EXPECT_EQ(cleaning.job.upload_id, "upload-1");
  ASSERT_THAT(queue_->mark_clean(cleaning.claim), Succeeded());
  EXPECT_TRUE(idle(worker));
}

TEST_P(JobStoreContract, GivingUpLetsGoOfACancelledJobToo) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 1);
  const auto work = claim<PartitionWork>(worker);
  ASSERT_THAT(jobs_->cancel(job.tenant, job.id), Succeeded());
  EXPECT_THAT(queue_->give_up(work.claim, kPoison, {}), FailedWith("claim_lost"));
  EXPECT_EQ(find(job).state, JobState::cancelled);
  EXPECT_EQ(find(job).error_code, "");
  claim<CleanWork>(worker);
}

TEST_P(JobStoreContract, ACancelledPlanAndAssemblyEndWithTheirNextWrite) {
  const WorkerId worker = register_worker("w1");
  ExportJob job = insert("acme");
  const auto plan = claim<PlanWork>(worker);
  ASSERT_THAT(jobs_->cancel(job.tenant, job.id), Succeeded());
  EXPECT_TRUE(idle(worker));
  EXPECT_THAT(queue_->save_upload(plan.claim, "upload-1"), FailedWith("claim_lost"));
  EXPECT_EQ(find(job).upload_id, "");
  ASSERT_THAT(queue_->mark_clean(claim<CleanWork>(worker).claim), Succeeded());

  job = assembling("acme", worker);
  const auto assembly = claim<AssembleWork>(worker);
  ASSERT_THAT(jobs_->cancel(job.tenant, job.id), Succeeded());
  EXPECT_TRUE(idle(worker));
  EXPECT_THAT(queue_->publish(assembly.claim, {.rows = 5, .bytes = 5}), FailedWith("claim_lost"));
  EXPECT_EQ(find(job).state, JobState::cancelled);
  claim<CleanWork>(worker);
}

// --- failing

TEST_P(JobStoreContract, ARetriableErrorIsTriedAgainLaterAndShownMeanwhile) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 1);
  const RetryPolicy policy{.max_attempts = 5, .first_delay = seconds{1}, .max_delay = seconds{3}};
  for (const auto delay : {seconds{1}, seconds{2}, seconds{3}, seconds{3}}) {
    const auto work = claim<PartitionWork>(worker);
    const auto failed = queue_->give_up(work.claim, kHiccup, policy);
    ASSERT_THAT(failed, Succeeded());
    EXPECT_FALSE(*failed);
    EXPECT_EQ(find(job).state, JobState::running);
    EXPECT_EQ(find(job).error_code, "source_unavailable");
    EXPECT_EQ(find(job).error_message, "the replica went away");
    EXPECT_EQ(partition(job, 0).state, PartitionState::pending);
    advance(delay - milliseconds{1});
    EXPECT_TRUE(idle(worker));
    advance(milliseconds{1});
  }
  const auto last = claim<PartitionWork>(worker);
  EXPECT_EQ(last.partition.attempts, 5);
  const auto failed = queue_->give_up(last.claim, kHiccup, policy);
  ASSERT_THAT(failed, Succeeded());
  EXPECT_TRUE(*failed);
  EXPECT_EQ(find(job).state, JobState::failed);
  EXPECT_EQ(find(job).error_code, "source_unavailable");
  EXPECT_EQ(find(job).completed_at, *jobs_->now());
  EXPECT_EQ(partition(job, 0).state, PartitionState::failed);
  EXPECT_EQ(claim<CleanWork>(worker).job.id, job.id);
}

TEST_P(JobStoreContract, AnErrorThatCannotPassFailsTheJobAtOnce) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 2);
  const auto first = claim<PartitionWork>(worker);
  const auto second = claim<PartitionWork>(worker);
  ASSERT_TRUE(*queue_->give_up(first.claim, kPoison, {}));
  EXPECT_EQ(find(job).state, JobState::failed);
  EXPECT_EQ(find(job).error_message, "a value cannot be exported");
  EXPECT_TRUE(idle(worker));  // the other one still writes
  EXPECT_THAT(queue_->complete_partition(second.claim, 1, 1), FailedWith("claim_lost"));
  EXPECT_THAT(queue_->hand_back(second.claim), FailedWith("claim_lost"));
  EXPECT_EQ(find(job).error_code, "bad_data");
  claim<CleanWork>(worker);
}

TEST_P(JobStoreContract, AttemptsCountSinceTheLastCheckpoint) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 1);
  const RetryPolicy policy{.max_attempts = 2};
  for (int i = 0; i < 6; ++i) {
    const auto work = claim<PartitionWork>(worker);
    ASSERT_THAT(queue_->checkpoint(work.claim, make_part(i)), Succeeded());
    EXPECT_EQ(find(job).error_code, "") << "work that goes on clears the error";
    EXPECT_FALSE(*queue_->give_up(work.claim, kHiccup, policy));
    EXPECT_EQ(find(job).error_code, "source_unavailable");
    advance(seconds{60});
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(find(job).state, JobState::running);
    ASSERT_THAT(queue_->give_up(claim<PartitionWork>(worker).claim, kHiccup, policy), Succeeded());
    advance(seconds{60});
  }
  EXPECT_EQ(find(job).state, JobState::failed);
}

TEST_P(JobStoreContract, PlansAndAssembliesAreRetriedLikePartitions) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  const RetryPolicy policy{.max_attempts = 2, .first_delay = seconds{1}};
  ASSERT_FALSE(*queue_->give_up(claim<PlanWork>(worker).claim, kHiccup, policy));
  EXPECT_TRUE(idle(worker));
  EXPECT_EQ(find(job).state, JobState::running);
  advance(seconds{1});
  const auto plan = claim<PlanWork>(worker);
  ASSERT_THAT(queue_->save_plan(plan.claim, {}, 1, 1), Succeeded());
  EXPECT_EQ(find(job).error_code, "");
  ASSERT_FALSE(*queue_->give_up(claim<AssembleWork>(worker).claim, kHiccup, policy)) << "attempts begin anew";
  advance(seconds{1});
  ASSERT_TRUE(*queue_->give_up(claim<AssembleWork>(worker).claim, kHiccup, policy));
  EXPECT_EQ(find(job).state, JobState::failed);
}

TEST_P(JobStoreContract, CleaningIsRetriedForEverAndNeverChangesTheJob) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = succeeded("acme", worker);
  const RetryPolicy policy{.max_attempts = 1, .first_delay = seconds{1}, .max_delay = seconds{8}};
  for (int i = 0; i < 6; ++i) {
    const auto work = claim<CleanWork>(worker);
    const auto failed = queue_->give_up(work.claim, kPoison, policy);
    ASSERT_THAT(failed, Succeeded());
    EXPECT_FALSE(*failed);
    EXPECT_TRUE(idle(worker));
    advance(seconds{8});
  }
  EXPECT_EQ(find(job).state, JobState::succeeded);
  EXPECT_EQ(find(job).error_code, "");
}

TEST_P(JobStoreContract, LongErrorsAreCutToWhatTheTableHolds) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 1);
  std::string long_text;
  for (int i = 0; i < 3000; ++i) long_text += "äx";
  ASSERT_THAT(queue_->give_up(claim<PartitionWork>(worker).claim, external_error(long_text, long_text, false), {}),
              Succeeded());
  EXPECT_EQ(find(job).error_code.size(), 128U + 64U);
  EXPECT_EQ(find(job).error_message, long_text.substr(0, 6000));
}

TEST_P(JobStoreContract, HandingBackIsNoAttempt) {
  const WorkerId worker = register_worker("w1");
  planned("acme", worker, 1);
  for (int i = 0; i < 10; ++i) {
    const auto work = claim<PartitionWork>(worker);
    EXPECT_EQ(work.partition.attempts, 1);
    ASSERT_THAT(queue_->hand_back(work.claim), Succeeded());
  }
  const ExportJob other = assembling("acme", worker);
  for (int i = 0; i < 10; ++i) {
    const auto assembly = claim_of<AssembleWork>(other, worker);
    EXPECT_EQ(assembly.job.attempts, 1);
    ASSERT_THAT(queue_->hand_back(assembly.claim), Succeeded());
  }
}

// --- retention

TEST_P(JobStoreContract, FilesExpireAfterTheirRetention) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = succeeded("acme", worker);
  ASSERT_THAT(queue_->mark_clean(claim<CleanWork>(worker).claim), Succeeded());
  advance(std::chrono::hours{24 * 7} - milliseconds{1});
  EXPECT_EQ(*queue_->expire_due(), 0);
  advance(milliseconds{1});
  EXPECT_EQ(*queue_->expire_due(), 1);
  EXPECT_EQ(*queue_->expire_due(), 0);
  EXPECT_EQ(find(job).state, JobState::expired);
  const auto cleaning = claim<CleanWork>(worker);
  EXPECT_EQ(cleaning.job.state, JobState::expired);
  ASSERT_THAT(queue_->mark_clean(cleaning.claim), Succeeded());
  EXPECT_TRUE(idle(worker));
}

TEST_P(JobStoreContract, DeletingExpiresAtOnce) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = succeeded("acme", worker);
  ASSERT_THAT(queue_->mark_clean(claim<CleanWork>(worker).claim), Succeeded());
  ASSERT_THAT(jobs_->expire(job.tenant, job.id), Succeeded());
  EXPECT_EQ(find(job).state, JobState::expired);
  EXPECT_EQ(find(job).row_count, 100);
  ASSERT_THAT(jobs_->expire(job.tenant, job.id), Succeeded()) << "again is the same";
  EXPECT_EQ(claim<CleanWork>(worker).job.state, JobState::expired);
}

TEST_P(JobStoreContract, DeletingDuringCleaningCleansAgain) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = succeeded("acme", worker);
  const auto heads_only = claim<CleanWork>(worker);
  ASSERT_THAT(jobs_->expire(job.tenant, job.id), Succeeded());
  // What this cleaning saw was a file to keep; it must not stand for the cleaning that removes the file.
  EXPECT_THAT(queue_->mark_clean(heads_only.claim), FailedWith("claim_lost"));
  EXPECT_EQ(claim<CleanWork>(worker).job.state, JobState::expired);
}

TEST_P(JobStoreContract, OnlyFinishedFilesExpire) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 1);
  const auto refused = jobs_->expire(job.tenant, job.id);
  ASSERT_THAT(refused, FailedWith("export_active"));
  EXPECT_THAT(refused.error().message, HasSubstr("cancel it first"));
  ASSERT_THAT(jobs_->cancel(job.tenant, job.id), Succeeded());
  ASSERT_THAT(jobs_->expire(job.tenant, job.id), Succeeded());
  EXPECT_EQ(find(job).state, JobState::cancelled);
}

}  // namespace
}  // namespace longshore
