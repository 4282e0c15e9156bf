#include "worker/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>

#include "assemble/manifest.h"
#include "base/random.h"
#include "encode/csv/csv_format.h"
#include "metadata/sqlite/sqlite_database.h"
#include "metadata/tests/temporary_store.h"
#include "storage/faulty/faulty_store.h"
#include "storage/memory/memory_store.h"
#include "worker/staged_copies.h"
#include "worker/sweeper.h"
#include "worker/tests/memory_staging.h"
#include "worker/tests/scripted_source.h"

namespace longshore {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
/// Rows of this width make one MiB with every 1,000 rows.
constexpr std::size_t kWidth = 1040;

/// Everything that a worker needs, with a source that a test writes the script of.
class WorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    formats_.add(std::make_unique<CsvFormat>());
    plan_.part_size = 5 * kMiB;
    plan_.partition_rows = 1;
  }

  /// A source of `rows` rows that will be cut into `partitions`.
  ScriptedSource& use_source(std::int64_t rows, int partitions) {
    auto source = std::make_unique<ScriptedSource>(rows, kWidth);
    ScriptedSource& reference = *source;
    sources_.add("app", std::move(source));
    plan_.partition_bytes = rows * static_cast<std::int64_t>(kWidth + 10) / partitions + 1;
    rooms_.emplace(WorkerRooms{*metadata_, *metadata_, *store_, formats_, sources_, signal_, memory_, metrics_, clock_,
                               key_, plan_, *metadata_});
    return reference;
  }
  static MemoryStaging& stage(ScriptedSource& source) {
    auto area = std::make_unique<MemoryStaging>(source);
    MemoryStaging& reference = *area;
    source.area = std::move(area);
    return reference;
  }
  template <class Condition>
  void wait_until(const Condition& condition) {
    while (!condition()) {
      std::uint64_t counter = 0;
      signal_.wait(counter, milliseconds{5}, {});
    }
  }
  JobId create(Consistency consistency = Consistency::best_effort) {
    NewJob request;
    request.job.id = JobId(uuid_v7(clock_.now()));
    request.job.tenant = TenantId("acme");
    request.job.requested_by = UserId("ann");
    request.job.object_key = "acme/exports/2026/01/" + request.job.id.str() + ".csv";
    ExportSpec& spec = request.job.spec;
    spec.dataset.name = "items";
    spec.dataset.source = "app";
    spec.format = "csv";
    spec.consistency = consistency;
    spec.columns = {Column{"id", "id", {LogicalType::int64}, "", "", false},
                    Column{"text", "text", {LogicalType::text}, "", "", false}};
    spec.dataset.columns = spec.columns;
    request.retention = std::chrono::hours{1};
    const auto inserted = metadata_->insert(request);
    EXPECT_TRUE(inserted) << inserted.error().message;
    signal_.announce();
    return request.job.id;
  }
  static WorkerOptions options(int slots) {
    WorkerOptions options;
    options.host = "test";
    options.slots = slots;
    options.heartbeat = milliseconds{10};
    options.poll = milliseconds{10};
    options.retry = {3, milliseconds{1}, milliseconds{10}};
    return options;
  }
  ExportJob job(const JobId& id) { return *metadata_->find(TenantId("acme"), id).value(); }
  /// Waits for a final state and for the cleaning after it.
  ExportJob wait_finished(const JobId& id) {
    for (;;) {
      ExportJob seen = job(id);
      if (is_terminal(seen.state) && leftovers(seen).empty()) return seen;
      std::uint64_t counter = 0;
      signal_.wait(counter, milliseconds{5}, {});
    }
  }
  std::string bytes_of(const ExportJob& job) {
    ByteBuffer bytes;
    const Status read = memory_store_->get(job.object_key, 0, 1 << 30, bytes);
    EXPECT_TRUE(read) << read.error().message;
    return std::string(bytes.view());
  }
  /// What the store holds of a job beyond artefact and manifest of a succeeded one.
  std::vector<std::string> leftovers(const ExportJob& job) {
    std::vector<std::string> names;
    const std::vector<ObjectInfo> objects = memory_store_->list("", "", 1000).value();
    for (const ObjectInfo& object : objects) {
      if (object.key.find(job.id.str()) == std::string::npos) continue;
      const bool expected = job.state == JobState::succeeded && object.key.starts_with(job.object_key);
      if (!expected) names.push_back(object.key);
    }
    const std::vector<UploadInfo> uploads = memory_store_->list_uploads(job.object_key).value();
    for (const UploadInfo& info : uploads) {
      names.push_back("upload of " + info.upload.key);
    }
    return names;
  }
  std::string export_undisturbed(std::int64_t rows, int partitions) {
    use_source(rows, partitions);
    Worker worker(*rooms_, options(2));
    EXPECT_TRUE(worker.start());
    const ExportJob done = wait_finished(create());
    EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
    EXPECT_EQ(done.row_count, rows);
    return bytes_of(done);
  }

  SystemClock clock_;
  InProcessSignal signal_;
  MemoryBudget memory_{200 * kMiB};
  Metrics metrics_;
  const ManifestKey key_ = *ManifestKey::generate();
  FormatTable formats_;
  SourceTable sources_;
  PlanPolicy plan_;
  std::shared_ptr<MemoryStore> memory_store_ = std::make_shared<MemoryStore>();
  std::shared_ptr<FaultyStore> store_ = std::make_shared<FaultyStore>(memory_store_);
  TemporaryStore metadata_{clock_};
  std::optional<WorkerRooms> rooms_;
};

TEST_F(WorkerTest, AnyNumberOfPartitionsMakesTheSameFile) {
  const std::string one = export_undisturbed(30'000, 1);
  EXPECT_EQ(one.size(), export_undisturbed(30'000, 3).size());
  EXPECT_EQ(one, export_undisturbed(30'000, 3));
  EXPECT_EQ(one, export_undisturbed(30'000, 40)) << "partitions smaller than a part";
}

TEST_F(WorkerTest, NoRowsMakeAFileOfTheHeaderAlone) {
  EXPECT_EQ(export_undisturbed(0, 1), "id,text\r\n");
}

TEST_F(WorkerTest, ASmallExportIsOnePut) {
  export_undisturbed(10, 1);
  EXPECT_EQ(store_->calls(StoreOperation::upload_part), 0);
  EXPECT_EQ(store_->calls(StoreOperation::put), 2) << "artefact and manifest";
}

TEST_F(WorkerTest, TransientFaultsOfTheStoreCostNothingButTime) {
  const std::string expected = export_undisturbed(30'000, 3);
  const Error away = external_error("store_unavailable", "the store is away");
  for (const StoreOperation operation :
       {StoreOperation::begin_upload, StoreOperation::put, StoreOperation::upload_part, StoreOperation::get,
        StoreOperation::complete_upload, StoreOperation::remove}) {
    for (const FaultMoment moment : {FaultMoment::before, FaultMoment::after}) {
      use_source(30'000, 3);
      store_->heal();
      store_->fail_call(operation, store_->calls(operation) + 1, moment, away);
      Worker worker(*rooms_, options(2));
      ASSERT_TRUE(worker.start());
      const ExportJob done = wait_finished(create());
      EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
      EXPECT_EQ(bytes_of(done), expected) << "operation " << static_cast<int>(operation);
      ASSERT_TRUE(metadata_->expire(done.tenant, done.id));
      wait_finished(done.id);
    }
  }
}

TEST_F(WorkerTest, AStoreThatStaysAwayFailsTheExportWithItsError) {
  use_source(30'000, 3);
  store_->fail_from(StoreOperation::upload_part, 1, external_error("store_full", "no space left in the store"));
  Worker worker(*rooms_, options(2));
  ASSERT_TRUE(worker.start());
  const ExportJob failed = wait_finished(create());
  EXPECT_EQ(failed.state, JobState::failed);
  EXPECT_EQ(failed.error_code, "store_full");
  EXPECT_THAT(failed.error_message, testing::HasSubstr("no space left in the store"));
}

TEST_F(WorkerTest, AFinalErrorIsNotTriedAgain) {
  ScriptedSource& source = use_source(30'000, 1);
  std::atomic<int> tries{0};
  source.before_batch = [&](std::int64_t, const std::stop_token&) -> Status {
    ++tries;
    return fail(external_error("source_schema_changed", "column text is gone", false));
  };
  Worker worker(*rooms_, options(1));
  ASSERT_TRUE(worker.start());
  const ExportJob failed = wait_finished(create());
  EXPECT_EQ(failed.state, JobState::failed);
  EXPECT_EQ(failed.error_code, "source_schema_changed");
  EXPECT_EQ(tries, 1);
}

TEST_F(WorkerTest, ASourceThatFailsNowAndThenIsReadOnFromTheLastCheckpoint) {
  const std::string expected = export_undisturbed(60'000, 2);
  ScriptedSource& source = use_source(60'000, 2);
  std::atomic<int> batches{0};
  source.before_batch = [&](std::int64_t, const std::stop_token&) -> Status {
    // After enough batches for a checkpoint each time, so that every try makes progress.
    if (++batches % 40 == 0) return fail(external_error("source_unavailable", "hiccup"));
    return {};
  };
  Worker worker(*rooms_, options(2));
  ASSERT_TRUE(worker.start());
  const ExportJob done = wait_finished(create());
  EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
  EXPECT_EQ(bytes_of(done), expected);
}

TEST_F(WorkerTest, CancellingStopsARunningExportAndLeavesNothing) {
  ScriptedSource& source = use_source(60'000, 2);
  std::latch reading{1};
  std::atomic<bool> first{true};
  source.before_batch = [&](std::int64_t id, const std::stop_token& stop) -> Status {
    if (id < 20'000) return {};
    if (first.exchange(false)) reading.count_down();
    while (!stop.stop_requested()) std::this_thread::yield();
    return fail(external_error("scan_stopped", "stopped"));
  };
  Worker worker(*rooms_, options(2));
  ASSERT_TRUE(worker.start());
  const JobId id = create();
  reading.wait();
  ASSERT_TRUE(metadata_->cancel(TenantId("acme"), id));
  const ExportJob cancelled = wait_finished(id);
  EXPECT_EQ(cancelled.state, JobState::cancelled);
}

TEST_F(WorkerTest, StoppingHandsWorkBackAndAnotherGoesOnFromTheCheckpoint) {
  const std::string expected = export_undisturbed(60'000, 1);
  ScriptedSource& source = use_source(60'000, 1);
  std::latch reading{1};
  std::atomic<bool> blocked{true};
  std::atomic<bool> first{true};
  source.before_batch = [&](std::int64_t id, const std::stop_token& stop) -> Status {
    if (id < 50'000) return {};
    if (first.exchange(false)) reading.count_down();
    while (blocked && !stop.stop_requested()) std::this_thread::yield();
    return {};
  };
  const JobId id = create();
  {
    Worker worker(*rooms_, options(1));
    ASSERT_TRUE(worker.start());
    reading.wait();
    worker.stop();
  }
  EXPECT_EQ(job(id).state, JobState::running);
  EXPECT_EQ(metadata_->partitions(id)->front().attempts, 0) << "a shutdown is not a failure";
  const std::int64_t read_before = source.rows_read;
  std::int64_t checkpointed = 0;
  const std::vector<Part> parts = metadata_->parts(id, 0).value();
  for (const Part& part : parts) checkpointed += part.summary.rows;
  EXPECT_GT(checkpointed, 20'000);

  blocked = false;
  Worker successor(*rooms_, options(1));
  ASSERT_TRUE(successor.start());
  const ExportJob done = wait_finished(id);
  EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
  EXPECT_EQ(bytes_of(done), expected);
  EXPECT_EQ(source.rows_read - read_before, 60'000 - checkpointed) << "what was checkpointed is not read again";
}

TEST_F(WorkerTest, AWorkerThatWasDeclaredLostStopsAndComesBackUnderAnotherName) {
  const std::string expected = export_undisturbed(60'000, 1);
  ScriptedSource& source = use_source(60'000, 1);
  std::latch reading{1};
  std::atomic<bool> first{true};
  source.before_batch = [&](std::int64_t id, const std::stop_token& stop) -> Status {
    if (id < 50'000 || !first.exchange(false)) return {};
    reading.count_down();
    while (!stop.stop_requested()) std::this_thread::yield();
    return fail(external_error("scan_stopped", "stopped"));
  };
  const JobId id = create();
  Worker worker(*rooms_, options(1));
  ASSERT_TRUE(worker.start());
  const WorkerId before = worker.id();
  reading.wait();
  ASSERT_TRUE(metadata_->free_lost_claims(Duration{0}, RetryPolicy{}));  // any silence is too long
  const ExportJob done = wait_finished(id);
  EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
  EXPECT_EQ(bytes_of(done), expected);
  EXPECT_NE(worker.id(), before);
}

/// A worker that was stopped in the middle of uploading a part goes on after its successor has uploaded what it read
/// in its place, and before the file is complete. Stores take the last of two parts of one number.
TEST_F(WorkerTest, APartThatAZombieUploadsAfterItsSuccessorSpoilsNothing) {
  ScriptedSource& source = use_source(40'000, 1);
  const auto zombies_part = store_->stall_call(StoreOperation::upload_part, 2);
  const auto completion = store_->stall_call(StoreOperation::complete_upload, 1);
  const JobId id = create();
  Worker zombie(*rooms_, options(1));
  ASSERT_TRUE(zombie.start());
  zombies_part->wait_until_reached();
  source.changed = true;
  ASSERT_TRUE(metadata_->free_lost_claims(Duration{0}, RetryPolicy{}));  // any silence is too long
  std::int64_t kept = 0;
  const std::vector<Part> parts = metadata_->parts(id, 0).value();
  for (const Part& part : parts) kept += part.summary.rows;
  Worker successor(*rooms_, options(1));
  ASSERT_TRUE(successor.start());
  completion->wait_until_reached();
  zombies_part->release();
  zombie.stop();
  completion->release();

  const ExportJob done = wait_finished(id);
  ASSERT_EQ(done.state, JobState::succeeded) << done.error_code << ": " << done.error_message;
  const std::string file = bytes_of(done);
  std::string expected = "id,text\r\n";
  for (std::int64_t row = 1; row <= 40'000; ++row) {
    const char first = row <= kept ? 'a' : 'A';
    expected += std::to_string(row) + ',' + std::string(kWidth, static_cast<char>(first + row % 26)) + "\r\n";
  }
  EXPECT_TRUE(file == expected) << file.size() << " bytes, " << expected.size() << " expected";
}

TEST_F(WorkerTest, AWorkerWhoseHeartbeatHangsStopsByItself) {
  const std::string expected = export_undisturbed(60'000, 1);
  ScriptedSource& source = use_source(60'000, 1);
  std::latch reading{1};
  std::latch stopped{1};
  std::atomic<bool> first{true};
  source.before_batch = [&](std::int64_t id, const std::stop_token& stop) -> Status {
    if (id < 50'000 || !first.exchange(false)) return {};
    reading.count_down();
    while (!stop.stop_requested()) std::this_thread::yield();
    stopped.count_down();
    return fail(external_error("scan_stopped", "stopped"));
  };
  const JobId id = create();
  WorkerOptions impatient = options(1);
  impatient.lease = milliseconds{300};
  Worker worker(*rooms_, impatient);
  ASSERT_TRUE(worker.start());
  reading.wait();
  {
    // Somebody else's lock: a heartbeat waits for it, as it does for answers over a link that was cut.
    auto other = sql::SqliteDatabase::make({.path = metadata_.path()}, clock_);
    ASSERT_TRUE(other);
    auto lock = (*other)->begin(sql::Access::write);
    ASSERT_TRUE(lock) << lock.error().message;
    stopped.wait();
  }
  const ExportJob done = wait_finished(id);
  EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
  EXPECT_EQ(bytes_of(done), expected);
}

TEST_F(WorkerTest, TheManifestProvesTheFile) {
  use_source(30'000, 3);
  Worker worker(*rooms_, options(2));
  ASSERT_TRUE(worker.start());
  const ExportJob done = wait_finished(create());
  ByteBuffer manifest;
  ASSERT_TRUE(memory_store_->get(manifest_object_key(done.object_key), 0, kMiB, manifest));
  EXPECT_THAT(std::string(manifest.view()), testing::HasSubstr("\"rowCount\":30000"));
  const auto fidelity = manifest_fidelity(manifest.view());
  ASSERT_TRUE(fidelity);
  EXPECT_EQ(fidelity->size(), 2U);
}

TEST_F(WorkerTest, TheSweeperRemovesStagedObjectsThatNobodyNeeds) {
  use_source(10, 1);
  ASSERT_TRUE(memory_store_->put("staging/0192f0c4-0000-7000-8000-000000000001/head-0-1", "old", {}));
  ASSERT_TRUE(memory_store_->put("acme/exports/2026/01/kept.csv", "kept", {}));
  Sweeper sweeper(*rooms_, SweepPolicy{});
  ASSERT_TRUE(sweeper.sweep_orphans());
  const auto left = memory_store_->list("", "", 10).value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left.front().key, "acme/exports/2026/01/kept.csv");
}

// --- exports of a copy

TEST_F(WorkerTest, ACopyIsMadeReadAndDropped) {
  ScriptedSource& source = use_source(20'000, 2);
  MemoryStaging& area = stage(source);
  Worker worker(*rooms_, options(2));
  ASSERT_TRUE(worker.start());
  const ExportJob done = wait_finished(create(Consistency::materialized));
  EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
  ASSERT_TRUE(done.snapshot);
  EXPECT_EQ(done.snapshot->id, "staging.copy_0");
  EXPECT_EQ(area.made().size(), 1U);
  EXPECT_EQ(source.copies_read, done.partition_count);
  wait_until([&] { return area.there().empty(); });
}

/// The first batch that is read finds its copy gone.
void lose_a_copy(ScriptedSource& source) {
  source.before_batch = [lost = std::make_shared<std::atomic<bool>>()](std::int64_t, const std::stop_token&) -> Status {
    return lost->exchange(true) ? Status() : fail(external_error("copy_gone", "somebody dropped it"));
  };
}

TEST_F(WorkerTest, WithALostCopyTheExportBeginsAgain) {
  ScriptedSource& source = use_source(20'000, 2);
  MemoryStaging& area = stage(source);
  lose_a_copy(source);
  Worker worker(*rooms_, options(1));
  ASSERT_TRUE(worker.start());
  const ExportJob done = wait_finished(create(Consistency::materialized));
  EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
  EXPECT_EQ(done.snapshot_losses, 1);
  EXPECT_EQ(done.snapshot->id, "staging.copy_1");
  EXPECT_EQ(done.row_count, 20'000);
  ASSERT_EQ(area.made().size(), 2U);
  EXPECT_EQ(area.made()[1].attempt, 1);
  wait_until([&] { return area.there().empty(); });
}

TEST_F(WorkerTest, CopiesThatCannotBeDroppedHoldUpNothingAndAreSwept) {
  ScriptedSource& source = use_source(20'000, 2);
  MemoryStaging& area = stage(source);
  area.busy = true;
  lose_a_copy(source);
  Worker worker(*rooms_, options(1));
  ASSERT_TRUE(worker.start());
  const ExportJob done = wait_finished(create(Consistency::materialized));
  EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
  EXPECT_EQ(done.snapshot->id, "staging.copy_1");
  wait_until([&] { return area.refused() >= 2; });  // by the second plan, and by the cleaning
  EXPECT_EQ(area.there().size(), 2U);
  area.busy = false;
  ASSERT_TRUE(sweep_copies(*rooms_, {}));
  EXPECT_TRUE(area.there().empty());
}

TEST_F(WorkerTest, OneSessionReadsOneMomentAsOnePartition) {
  for (const std::int64_t rows : {20'000, 10}) {
    ScriptedSource& source = use_source(rows, 4);
    source.one_session = true;
    Worker worker(*rooms_, options(2));
    ASSERT_TRUE(worker.start());
    const ExportJob done = wait_finished(create(Consistency::snapshot));
    EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
    EXPECT_EQ(done.partition_count, 1);
    EXPECT_EQ(done.row_count, rows);
    ASSERT_TRUE(done.snapshot);
    EXPECT_EQ(done.snapshot->server, "session 1");
    ByteBuffer manifest;
    ASSERT_TRUE(memory_store_->get(manifest_object_key(done.object_key), 0, kMiB, manifest));
    EXPECT_THAT(std::string(manifest.view()), testing::HasSubstr(R"("server":"session 1")"));
  }
}

TEST_F(WorkerTest, WithItsSessionAMomentIsLostAndTheExportBeginsAgain) {
  ScriptedSource& source = use_source(20'000, 4);
  source.one_session = true;
  std::atomic<int> failures{0};
  source.before_batch = [&](std::int64_t first, const std::stop_token&) -> Status {
    // In the middle, when parts of the file are stored already: by the session, then by the store's side.
    if (first < 12'000 || ++failures > 2) return {};
    source.changed = true;
    if (failures == 1) return fail(external_error("snapshot_gone", "the server was restarted"));
    return fail(external_error("source_unavailable", "a blip", true));
  };
  Worker worker(*rooms_, options(2));
  ASSERT_TRUE(worker.start());
  const ExportJob done = wait_finished(create(Consistency::snapshot));
  EXPECT_EQ(done.state, JobState::succeeded) << done.error_message;
  EXPECT_EQ(done.snapshot_losses, 2) << "what another session read is not gone on with";
  EXPECT_EQ(done.snapshot->server, "session 3");
  EXPECT_EQ(done.row_count, 20'000);
  const std::string file = bytes_of(done);
  EXPECT_EQ(file.find("aaaa"), std::string::npos) << "a row of the first session";
  EXPECT_NE(file.find("AAAA"), std::string::npos);
}

TEST_F(WorkerTest, WithoutAStagingNothingIsCopied) {
  use_source(100, 1);
  Worker worker(*rooms_, options(1));
  ASSERT_TRUE(worker.start());
  const ExportJob done = wait_finished(create(Consistency::materialized));
  EXPECT_EQ(done.state, JobState::failed);
  EXPECT_EQ(done.error_code, "materialized_unsupported");
}

TEST_F(WorkerTest, TheSweeperDropsTheCopiesThatNoExportNeeds) {
  MemoryStaging& area = stage(use_source(100, 1));
  const std::string ours = metadata_->deployment().value();
  const JobId gone(uuid_v7(clock_.now()));
  const CopyName needed{.deployment = ours, .job = create(Consistency::materialized)};
  const CopyName others{.deployment = std::string(32, '0'), .job = gone};
  area.put({.deployment = ours, .job = gone});
  area.put(needed);
  area.put(others);
  ASSERT_TRUE(sweep_copies(*rooms_, {}));
  EXPECT_THAT(area.there(), testing::ElementsAre(needed, others));
}

}  // namespace
}  // namespace longshore
