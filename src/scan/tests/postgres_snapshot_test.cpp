#include <thread>

#include "scan/scan_errors.h"
#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

using testing::HasSubstr;

class PostgresSnapshotTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    run("CREATE TABLE {}.items (id bigint PRIMARY KEY, name text); INSERT INTO {}.items SELECT g, 'item ' || g FROM "
        "generate_series(1, 20000) g; ANALYZE {}.items");
    source_ = open();
    spec_ = spec(*source_, "items", {"id"});
  }
  /// Inserts, updates and deletes, also at both ends of the key.
  void write() {
    run("INSERT INTO {}.items SELECT g, 'new' FROM generate_series(-50, 0) g; "
        "INSERT INTO {}.items SELECT g, 'new' FROM generate_series(20001, 20100) g; "
        "UPDATE {}.items SET name = 'changed' WHERE id % 7 = 0; DELETE FROM {}.items WHERE id % 11 = 0 OR id > 19900");
  }
  std::unique_ptr<KeptSnapshot> take() {
    auto taken = source_->take_snapshot(spec_, "test keeper", {});
    EXPECT_TRUE(taken) << (taken ? "" : taken.error().message);
    return taken ? *std::move(taken) : nullptr;
  }
  static PinnedSnapshot pinned(const KeptSnapshot& kept) {
    return {kept.what().server,
            [id = kept.what().id]() -> Result<std::vector<std::string>> { return std::vector{id}; }};
  }
  /// All rows of the ranges as the snapshot has them. `between`: called after each batch.
  std::vector<TextRow> read(
      const PinnedSnapshot& snapshot, const std::vector<KeyRange>& ranges,
      const std::function<void()>& between = [] {}) {
    Reading reading;
    for (const KeyRange& range : ranges) {
      ScanRequest request{.spec = &spec_, .range = range, .batch = {.rows = 500}, .label = "test reader"};
      request.snapshot = &snapshot;
      auto rows = source_->open_scan(std::move(request), {});
      EXPECT_TRUE(rows);
      RowBatch batch = batch_for(spec_);
      while (true) {
        const auto more = (*rows)->next(batch);
        EXPECT_TRUE(more) << more.error().code << " " << more.error().message;
        if (!more || !*more) break;
        append_rows(batch, reading);
        between();
      }
    }
    return reading.rows;
  }

  std::unique_ptr<SourceDatabase> source_;
  ExportSpec spec_;
};

TEST_F(PostgresSnapshotTest, EveryReaderSeesTheMomentAndNothingAfterIt) {
  const auto before = ask("SELECT id, name FROM {}.items ORDER BY id");
  const auto kept = take();
  ASSERT_TRUE(kept);
  write();
  PartitionRequest request;
  request.partitions = 4;
  const auto plan = kept->plan_partitions(spec_, request, {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->ranges.size(), 4U);
  EXPECT_EQ(plan->ranges.back().upto, KeyTuple{"20000"}) << "the plan is made inside of the snapshot";
  EXPECT_EQ(kept->estimate(spec_, {})->rows, 20000);
  EXPECT_EQ(read(pinned(*kept), plan->ranges), before);
  EXPECT_TRUE(kept->keep_alive({}));
}

TEST_F(PostgresSnapshotTest, ItSaysWhichMomentOfWhichServerItIs) {
  const auto kept = take();
  ASSERT_TRUE(kept);
  const ExportSnapshot& what = kept->what();
  EXPECT_THAT(what.id, testing::MatchesRegex("[0-9A-F]+-[0-9A-F]+-1"));
  EXPECT_THAT(what.lsn, testing::MatchesRegex("[0-9A-F]+/[0-9A-F]+"));
  EXPECT_THAT(what.server, HasSubstr("127.0.0.1:"));
  EXPECT_EQ(what.system_identifier, *ask("SELECT system_identifier::text FROM pg_control_system()")[0][0]);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_LT(std::chrono::abs(now - what.taken_at.time_since_epoch()), std::chrono::minutes(1));
}

TEST_F(PostgresSnapshotTest, TheSecondKeeperOutlivesTheFirst) {
  const auto before = ask("SELECT id, name FROM {}.items ORDER BY id");
  auto first = take();
  ASSERT_TRUE(first);
  write();
  auto second = source_->share_snapshot(spec_, pinned(*first), "second keeper", {});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE((*second)->what().id, first->what().id);
  const PinnedSnapshot gone = pinned(*first);
  first.reset();
  EXPECT_EQ(read(pinned(**second), {KeyRange{}}), before);
  auto third = source_->share_snapshot(spec_, pinned(**second), "third keeper", {});
  ASSERT_TRUE(third) << third.error().message;
  const auto late = source_->share_snapshot(spec_, gone, "late", {});
  expect_error(late, "snapshot_gone", "cannot be imported");
  EXPECT_TRUE(late.error().retriable);
}

TEST_F(PostgresSnapshotTest, AReaderThatLosesItsSessionEntersTheSnapshotAgain) {
  const auto before = ask("SELECT id, name FROM {}.items ORDER BY id");
  const auto kept = take();
  ASSERT_TRUE(kept);
  int batches = 0;
  const auto rows = read(pinned(*kept), {KeyRange{}}, [&] {
    ++batches;
    if (batches == 3) write();
    if (batches % 10 != 3) return;
    ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'longshore/test reader%'");
  });
  EXPECT_EQ(rows, before);
  EXPECT_GT(batches, 20);
}

TEST_F(PostgresSnapshotTest, AReaderWaitsForAKeeperThatComesBack) {
  const auto before = ask("SELECT id, name FROM {}.items ORDER BY id");
  const auto kept = take();
  ASSERT_TRUE(kept);
  int asked = 0;
  PinnedSnapshot late = pinned(*kept);
  late.importable = [&]() -> Result<std::vector<std::string>> {
    if (++asked < 3) return std::vector<std::string>();
    return std::vector<std::string>{"00000000-00000000-9", kept->what().id};
  };
  EXPECT_EQ(read(late, {KeyRange{}}), before);
  EXPECT_EQ(asked, 3);
}

TEST_F(PostgresSnapshotTest, AQuestionThatTakesTooLongDoesNotEndTheSnapshot) {
  run("INSERT INTO {}.items SELECT g, 'more' FROM generate_series(20001, 400000) g; ANALYZE {}.items");
  const auto kept = take();
  ASSERT_TRUE(kept);
  PartitionRequest request;
  request.partitions = 4;
  request.exact = true;
  request.time_limit = std::chrono::milliseconds{1};
  const auto plan = kept->plan_partitions(spec_, request, {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_FALSE(plan->exact);
  EXPECT_TRUE(kept->keep_alive({}));
  EXPECT_TRUE(source_->share_snapshot(spec_, pinned(*kept), "second keeper", {}));
}

TEST_F(PostgresSnapshotTest, AKeeperThatWasTerminatedNoticesIt) {
  const auto kept = take();
  ASSERT_TRUE(kept);
  ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'longshore/test keeper%'");
  const Status alive = kept->keep_alive({});
  ASSERT_FALSE(alive);
  EXPECT_EQ(alive.error().code, "source_unavailable") << alive.error().message;
}

TEST_F(PostgresSnapshotTest, TruncateWaitsForIt) {
  const auto kept = take();
  ASSERT_TRUE(kept);
  const auto blocked =
      ask("SELECT count(*) FROM pg_locks WHERE relation = '{}.items'::regclass AND mode = "
          "'AccessShareLock' AND granted");
  EXPECT_NE(*blocked[0][0], "0") << "TRUNCATE would take the rows out of the snapshot's sight";
}

}  // namespace
}  // namespace longshore
