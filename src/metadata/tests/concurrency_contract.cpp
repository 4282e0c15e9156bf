#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "metadata/tests/job_store_contract.h"

// Several stores on one database stand for several processes; threads race through them.

namespace longshore {
namespace {

/// Runs `body(store, i)` on `count` threads, each with a store of its own.
void race(StoreTestbed& testbed, int count, const std::function<void(const StoreTestbed::Opened&, int)>& body) {
  std::vector<StoreTestbed::Opened> stores;
  for (int i = 0; i < count; ++i) stores.push_back(testbed.open());
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&, i] { body(stores[static_cast<std::size_t>(i)], i); });
}

TEST_P(JobStoreContract, NothingIsClaimedTwice) {
  constexpr int kPartitions = 300;
  const WorkerId planner = register_worker("planner");
  const ExportJob first = planned("acme", planner, kPartitions / 2);
  const ExportJob second = planned("globex", planner, kPartitions / 2);
  std::mutex mutex;
  std::map<std::pair<JobId, int>, int> claimed;
  race(*testbed_, 4, [&](const StoreTestbed::Opened& store, int i) {
    const WorkerId worker("worker-" + std::to_string(i));
    ASSERT_THAT(store.queue->register_worker(worker, "host", i), Succeeded());
    while (true) {
      const auto work = store.queue->claim_next(worker);
      ASSERT_THAT(work, Succeeded());
      if (!*work) return;
      const auto* partition_work = std::get_if<PartitionWork>(&**work);
      if (partition_work == nullptr) {
        const auto& assembly = std::get<AssembleWork>(**work);
        const std::lock_guard lock(mutex);
        ++claimed[{assembly.job.id, -1}];
        continue;
      }
      {
        const std::lock_guard lock(mutex);
        ++claimed[{partition_work->job.id, partition_work->partition.index}];
      }
      ASSERT_THAT(store.queue->checkpoint(partition_work->claim, make_part(0, 10, 100)), Succeeded());
      ASSERT_THAT(store.queue->complete_partition(partition_work->claim, 10, 100), Succeeded());
    }
  });
  EXPECT_EQ(claimed.size(), kPartitions + 2U);
  for (const auto& [what, times] : claimed) EXPECT_EQ(times, 1) << what.first << " " << what.second;
  EXPECT_EQ(find(first).row_count, 10 * kPartitions / 2);
  EXPECT_EQ(find(second).row_count, 10 * kPartitions / 2);
}

TEST_P(JobStoreContract, OneKeyMakesOneExportHoweverManyAskAtOnce) {
  constexpr int kThreads = 4;
  std::mutex mutex;
  std::set<JobId> ids;
  int created = 0;
  race(*testbed_, kThreads, [&](const StoreTestbed::Opened& store, int) {
    for (int round = 0; round < 20; ++round) {
      const auto outcome = store.jobs->insert(new_job("acme", "key-" + std::to_string(round)));
      ASSERT_THAT(outcome, Succeeded());
      const std::lock_guard lock(mutex);
      ids.insert(outcome->job.id);
      if (!outcome->replayed) ++created;
    }
  });
  EXPECT_EQ(created, 20);
  EXPECT_EQ(ids.size(), 20U);
}

TEST_P(JobStoreContract, TheLastOfConcurrentPartitionsMakesTheJobReady) {
  const WorkerId planner = register_worker("planner");
  for (int round = 0; round < 10; ++round) {
    const ExportJob job = planned("acme", planner, 4);
    std::vector<Claim> claims;
    for (int i = 0; i < 4; ++i) claims.push_back(claim<PartitionWork>(planner).claim);
    race(*testbed_, 4, [&](const StoreTestbed::Opened& store, int i) {
      ASSERT_THAT(store.queue->complete_partition(claims[static_cast<std::size_t>(i)], 1, 1), Succeeded());
    });
    const auto assembly = claim<AssembleWork>(planner);
    EXPECT_EQ(assembly.job.id, job.id);
    ASSERT_THAT(queue_->publish(assembly.claim, {}), Succeeded());
    ASSERT_THAT(queue_->mark_clean(claim<CleanWork>(planner).claim), Succeeded());
  }
}

TEST_P(JobStoreContract, OfManyWhoWantAnOfficeOneGetsIt) {
  std::atomic<int> holders{0};
  race(*testbed_, 4, [&](const StoreTestbed::Opened& store, int i) {
    const auto held = store.queue->hold_office("sweeper", std::to_string(i), kLease);
    ASSERT_THAT(held, Succeeded());
    if (*held) ++holders;
  });
  EXPECT_EQ(holders, 1);
}

TEST_P(JobStoreContract, CancelAndPublishHaveOneWinner) {
  const WorkerId worker = register_worker("w1");
  for (int round = 0; round < 10; ++round) {
    const ExportJob job = assembling("acme", worker);
    const auto assembly = claim<AssembleWork>(worker);
    bool published = false;
    bool cancelled = false;
    race(*testbed_, 2, [&](const StoreTestbed::Opened& store, int i) {
      if (i == 0) published = store.queue->publish(assembly.claim, {}).has_value();
      if (i == 1) cancelled = store.jobs->cancel(job.tenant, job.id).has_value();
    });
    EXPECT_NE(published, cancelled);
    EXPECT_EQ(find(job).state, published ? JobState::succeeded : JobState::cancelled);
    ASSERT_THAT(queue_->mark_clean(claim<CleanWork>(worker).claim), Succeeded());
  }
}

TEST_P(JobStoreContract, WorkGoesOnWhileLeasesAreCheckedAndJobsCancelled) {
  const WorkerId planner = register_worker("planner");
  std::vector<ExportJob> jobs;
  for (int i = 0; i < 10; ++i) jobs.push_back(planned("tenant-" + std::to_string(i % 3), planner, 8));
  race(*testbed_, 3, [&](const StoreTestbed::Opened& store, int i) {
    if (i == 0) {
      for (std::size_t n = 0; n < jobs.size(); n += 2) {
        const auto cancelled = store.jobs->cancel(jobs[n].tenant, jobs[n].id);
        if (!cancelled) {
          ASSERT_THAT(cancelled, FailedWith("export_finished"));
        }
        ASSERT_THAT(store.queue->free_lost_claims(kLease, {}), Succeeded());
      }
      return;
    }
    const WorkerId worker("worker-" + std::to_string(i));
    ASSERT_THAT(store.queue->register_worker(worker, "host", i), Succeeded());
    while (true) {
      const auto work = store.queue->claim_next(worker);
      ASSERT_THAT(work, Succeeded());
      if (!*work) return;
      if (const auto* partition_work = std::get_if<PartitionWork>(&**work)) {
        ASSERT_THAT(store.queue->heartbeat(worker, {{partition_work->claim, 1, 1, ""}}), Succeeded());
        const auto done = store.queue->complete_partition(partition_work->claim, 1, 1);
        if (!done) {
          ASSERT_THAT(done, FailedWith("claim_lost"));
          ASSERT_THAT(store.queue->hand_back(partition_work->claim), FailedWith("claim_lost"));
        }
      } else if (const auto* cleaning = std::get_if<CleanWork>(&**work)) {
        ASSERT_THAT(store.queue->mark_clean(cleaning->claim), Succeeded());
      } else {
        ASSERT_THAT(store.queue->publish(std::get<AssembleWork>(**work).claim, {.rows = 8, .bytes = 8}), Succeeded());
      }
    }
  });
  // What either of them left when it last looked, nobody holds.
  const WorkerId last = register_worker("last");
  while (true) {
    const auto work = queue_->claim_next(last);
    ASSERT_THAT(work, Succeeded());
    if (!*work) break;
    if (const auto* cleaning = std::get_if<CleanWork>(&**work)) {
      ASSERT_THAT(queue_->mark_clean(cleaning->claim), Succeeded());
    } else {
      ASSERT_TRUE(std::holds_alternative<AssembleWork>(**work));
      ASSERT_THAT(queue_->publish(std::get<AssembleWork>(**work).claim, {.rows = 8, .bytes = 8}), Succeeded());
    }
  }
  for (const ExportJob& job : jobs) EXPECT_TRUE(is_terminal(find(job).state));
  const auto workers = jobs_->workers();
  ASSERT_THAT(workers, Succeeded());
  for (const WorkerRecord& worker : *workers) EXPECT_EQ(worker.claims, 0) << worker.id;
}

}  // namespace
}  // namespace longshore
