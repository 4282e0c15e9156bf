#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "metadata/claim_query.h"
#include "metadata/migrate.h"
#include "metadata/records.h"
#include "metadata/sql_store.h"
#include "metadata/tests/sqlite_testbed.h"

// What holds for the store on SQLite beyond the contract: the schema, its versions, crashes, processes, query plans.

namespace longshore {
namespace {

using sql::Access;
using sql::SqliteDatabase;
using sql::Transaction;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The contract's helpers for making jobs, on a SQLite file whose path the tests know.
class SqliteStoreTest : public JobStoreContract {
 protected:
  void SetUp() override {
    JobStoreContract::SetUp();
    bed_ = static_cast<SqliteTestbed*>(testbed_.get());
  }
  std::unique_ptr<SqliteDatabase> open_database() {
    return *SqliteDatabase::make({.path = bed_->path()}, bed_->clock());
  }
  std::string one_text(const std::string& sql, const char* column) {
    const auto database = open_database();
    const auto rows = sql::transact(*database, Access::read, [&](Transaction& t) { return t.query(sql); });
    EXPECT_THAT(rows, Succeeded());
    return rows && !rows->empty() ? (*rows)[0].text(column) : "";
  }
  Status change(const std::string& sql) {
    const auto database = open_database();
    return sql::transact(*database, Access::write, [&](Transaction& t) -> Status {
      CHECK_OK(t.execute(sql));
      return {};
    });
  }

  SqliteTestbed* bed_ = nullptr;
};

std::unique_ptr<StoreTestbed> make_testbed() {
  return std::make_unique<SqliteTestbed>();
}
INSTANTIATE_TEST_SUITE_P(Sqlite, SqliteStoreTest, testing::Values(TestbedFactory{"sqlite", make_testbed}));

// --- schema

TEST_P(SqliteStoreTest, TheContractsTablesHaveTheirNames) {
  const std::string schema = one_text("SELECT group_concat(sql, ' ') AS s FROM sqlite_schema", "s");
  for (const char* name : {"uk_tenant_idempotency", "idx_export_jobs_tenant_date", "idx_export_jobs_status_created",
                           "uk_job_partition", "idx_export_partitions_job", "idx_export_download_audits_tenant"}) {
    EXPECT_THAT(schema, HasSubstr(name));
  }
  EXPECT_EQ(one_text("SELECT count(*) AS n FROM pragma_table_list WHERE strict = 0 AND name LIKE 'export%'", "n"), "0");
}

TEST_P(SqliteStoreTest, ReadableColumnsHoldWhatPeopleLookFor) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = insert("acme");
  const auto plan = claim<PlanWork>(worker);
  auto partitions = make_partitions(1);
  partitions[0].range.upto = KeyTuple{std::string(300, 'k')};
  ASSERT_THAT(queue_->save_plan(plan.claim, partitions, 1, 1), Succeeded());
  EXPECT_EQ(one_text("SELECT requested_columns AS c FROM export_jobs", "c"), R"(["id","createdAt"])");
  EXPECT_THAT(one_text("SELECT filters AS f FROM export_jobs", "f"), HasSubstr(R"("column":"status","op":"eq")"));
  EXPECT_EQ(one_text("SELECT export_type || '/' || format AS t FROM export_jobs", "t"), "audit_logs/csv");
  EXPECT_EQ(one_text("SELECT range_start AS r FROM export_job_partitions", "r"), "");
  EXPECT_EQ(one_text("SELECT range_end AS r FROM export_job_partitions", "r").size(), 128U);
  EXPECT_EQ(partition(job, 0).range.upto, partitions[0].range.upto);
}

TEST_P(SqliteStoreTest, LimitsOfTheContractAreKept) {
  NewJob request = new_job(std::string(65, 't'));
  EXPECT_THAT(jobs_->insert(request), FailedWith(sql::kConstraint));
  request = new_job("acme", std::string(257, 'k'));
  EXPECT_THAT(jobs_->insert(request), FailedWith(sql::kConstraint));
  request = new_job("acme");
  request.job.id = JobId("exp_1");
  EXPECT_THAT(jobs_->insert(request), FailedWith("bad_job_id"));
}

TEST_P(SqliteStoreTest, AnAuditedExportIsNotDeletedButItsWorkGoesWithIt) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = assembling("acme", worker);
  DownloadAudit audit;
  audit.job = job.id;
  audit.tenant = job.tenant;
  ASSERT_THAT(jobs_->add_download(audit), Succeeded());
  EXPECT_THAT(change("DELETE FROM export_jobs"), FailedWith(sql::kConstraint));
  ASSERT_THAT(change("DELETE FROM export_download_audits"), Succeeded());
  ASSERT_THAT(change("DELETE FROM export_jobs"), Succeeded());
  EXPECT_EQ(
      one_text("SELECT (SELECT count(*) FROM export_job_partitions) + (SELECT count(*) FROM export_parts) AS n", "n"),
      "0");
}

TEST_P(SqliteStoreTest, ARowThatNobodyWroteIsAnError) {
  const ExportJob job = insert("acme");
  ASSERT_THAT(change("UPDATE export_jobs SET spec = json_object()"), Succeeded());
  const auto found = jobs_->find(job.tenant, job.id);
  ASSERT_THAT(found, FailedWith("bad_stored_spec"));
  EXPECT_THAT(found.error().message, HasSubstr(job.id.str()));
}

TEST_P(SqliteStoreTest, AnUnreadableExportHoldsUpNoOther) {
  const WorkerId worker = register_worker("w1");
  const std::string bad_plan = insert("acme").id.str();
  const std::string bad_partition = planned("acme", worker, 3).id.str();
  const ExportJob good = insert("acme");
  ASSERT_THAT(change("UPDATE export_jobs SET spec = json_object() WHERE id <> '" + good.id.str() + "'"), Succeeded());
  const auto plan = claim<PlanWork>(worker);
  EXPECT_EQ(plan.job.id, good.id);
  EXPECT_TRUE(idle(worker));
  EXPECT_EQ(one_text("SELECT error_code FROM export_jobs WHERE id = '" + bad_plan + "'", "error_code"),
            "bad_stored_spec");
  // A newer release can read them.
  ASSERT_THAT(change("UPDATE export_jobs SET spec = (SELECT spec FROM export_jobs WHERE id = '" + good.id.str() + "')"),
              Succeeded());
  advance(std::chrono::minutes{1});
  EXPECT_EQ(claim<PlanWork>(worker).job.id.str(), bad_plan);
  EXPECT_EQ(claim<PartitionWork>(worker).job.id.str(), bad_partition);
}

// --- migrations

TEST_P(SqliteStoreTest, MigratingAgainChangesNothing) {
  const ExportJob job = insert("acme");
  const auto database = open_database();
  EXPECT_THAT(sql::migrate(*database), Succeeded());
  EXPECT_THAT(sql::check_schema(*database), Succeeded());
  EXPECT_EQ(find(job).id, job.id);
  EXPECT_EQ(one_text("SELECT count(*) AS n FROM schema_migrations", "n"),
            std::to_string(database->migrations().size()));
}

TEST_P(SqliteStoreTest, ANewerSchemaIsRefused) {
  ASSERT_THAT(change("INSERT INTO schema_migrations VALUES (999, 'from the future', 0)"), Succeeded());
  auto database = open_database();
  const auto migrated = sql::migrate(*database);
  ASSERT_THAT(migrated, FailedWith("metadata_schema_newer"));
  EXPECT_FALSE(migrated.error().retriable);
  EXPECT_THAT(migrated.error().message, AllOf(HasSubstr(bed_->path()), HasSubstr("schema version 999"),
                                              HasSubstr("a newer release has used it")));
  EXPECT_THAT(SqlStore::make(std::move(database)), FailedWith("metadata_schema_newer"));
}

TEST(SqliteMigrationTest, AStoreDoesNotStartOnASchemaThatIsTooOld) {
  const TemporaryDirectory directory;
  const ManualClock clock;
  auto database = *SqliteDatabase::make({.path = directory.file("m.db")}, clock);
  const auto store = SqlStore::make(std::move(database));
  ASSERT_THAT(store, FailedWith("metadata_schema_older"));
  EXPECT_THAT(store.error().message, HasSubstr("has schema version 0"));
}

// --- processes and crashes

/// Runs `body` in a process of its own and returns whether it answered true.
bool in_process(const std::function<bool()>& body) {
  const ::pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(SqliteProcessTest, ProcessesThatStartAtOnceShareOneStore) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("m.db");
  std::vector<::pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const ::pid_t child = ::fork();
    if (child == 0) {
      const SystemClock clock;
      auto database = SqliteDatabase::make({.path = path}, clock);
      const bool done = database && sql::migrate(**database) && SqlStore::make(*std::move(database));
      ::_exit(done ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const ::pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const SystemClock clock;
  EXPECT_THAT(SqlStore::make(*SqliteDatabase::make({.path = path}, clock)), Succeeded());
}

TEST(SqliteProcessTest, AnotherProcessTakesOverWhereOneDied) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("m.db");
  ManualClock clock;
  const JobId id(uuid_v7(clock.now()));
  // The first process plans, checkpoints one part, and dies without a word.
  ASSERT_TRUE(in_process([&] {
    auto database = SqliteDatabase::make({.path = path}, clock);
    if (!database || !sql::migrate(**database)) return false;
    auto store = SqlStore::make(*std::move(database));
    NewJob request;
    request.job.id = id;
    request.job.tenant = TenantId("acme");
    request.request_digest = "d";
    const WorkerId worker("first");
    if (!store || !(*store)->insert(request) || !(*store)->register_worker(worker, "h", 1)) return false;
    auto plan = (*store)->claim_next(worker);
    Partition partition;
    if (!plan || !(*store)->save_plan(std::get<PlanWork>(**plan).claim, {partition}, 1, 1)) return false;
    auto work = (*store)->claim_next(worker);
    Part part;
    part.summary.rows = 42;
    if (!work || !(*store)->checkpoint(std::get<PartitionWork>(**work).claim, part)) return false;
    ::_exit(0);  // no destructor closes the database: its log stays as a kill leaves it
  }));
  EXPECT_TRUE(std::filesystem::exists(path + "-wal"));
  clock.advance(kLease);
  const auto store = open_sqlite_store(path, clock);
  ASSERT_THAT(store->register_worker(WorkerId("second"), "h", 2), Succeeded());
  EXPECT_EQ(*store->free_lost_claims(kLease, {}), 1);
  const auto work = store->claim_next(WorkerId("second"));
  ASSERT_THAT(work, Succeeded());
  const auto& resumed = std::get<PartitionWork>(**work);
  EXPECT_EQ(resumed.job.id, id);
  ASSERT_EQ(resumed.parts.size(), 1U);
  EXPECT_EQ(resumed.parts[0].summary.rows, 42);
}

TEST_P(SqliteStoreTest, WhatWasAnsweredIsInTheFilesAtThatInstant) {
  const WorkerId worker = register_worker("w1");
  const ExportJob job = planned("acme", worker, 1);
  const auto work = claim<PartitionWork>(worker);
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(queue_->checkpoint(work.claim, make_part(i)), Succeeded());
    // A copy of the files now is what a machine that stops now leaves behind.
    const std::string copy = bed_->path() + "-copy" + std::to_string(i);
    std::filesystem::copy_file(bed_->path(), copy);
    std::filesystem::copy_file(bed_->path() + "-wal", copy + "-wal");
    const auto store = open_sqlite_store(copy, bed_->clock());
    EXPECT_EQ(store->parts(job.id, 0)->size(), static_cast<std::size_t>(i) + 1);
  }
}

// --- plans

std::string query_plan(SqliteDatabase& database, std::string_view sql) {
  const auto rows = sql::transact(database, Access::read, [&](Transaction& transaction) {
    return transaction.query("EXPLAIN QUERY PLAN " + std::string(sql));
  });
  EXPECT_THAT(rows, Succeeded());
  std::string plan;
  for (const sql::Row row : *rows) plan += row.text("detail") + "\n";
  return plan;
}

TEST_P(SqliteStoreTest, PollingNeverScansFinishedJobs) {
  ASSERT_THAT(jobs_->insert(new_job("acme")), Succeeded());
  ASSERT_THAT(change(R"(
    INSERT INTO export_jobs (tenant_id, requested_by, export_type, format, status, phase, filters, requested_columns, spec,
      request_digest, retention, expires_at, completed_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
    SELECT 'tenant-' || (i % 50), 'u', 'audit_logs', 'csv', 'SUCCEEDED', 'done', '[]', '[]', json_object(), 'd', 1, 9000000000000000 + i, i
    FROM n)"),
              Succeeded());
  for (const char* statistics : {"SELECT 1", "ANALYZE"}) {
    ASSERT_THAT(change(statistics), Succeeded());
    const auto database = open_database();
    const std::string best = query_plan(*database, claims::best_candidates());
    const std::string any = query_plan(*database, claims::any_candidate());
    const std::string dead = query_plan(*database, claims::claims_of_the_dead());
    // A scan is allowed of what the query itself has gathered, but not of a table or a whole index of one.
    for (const char* scan : {"SCAN export_jobs", "SCAN j", "SCAN p", "SCAN export_job_partitions"}) {
      EXPECT_THAT(best + any + dead, Not(HasSubstr(scan))) << statistics;
    }
    for (const char* index : {"COVERING INDEX idx_export_jobs_queued", "idx_export_jobs_running",
                              "idx_export_jobs_cleaning", "idx_export_partitions_pending"}) {
      EXPECT_THAT(best, HasSubstr(index)) << statistics;
      EXPECT_THAT(any, HasSubstr(index)) << statistics;
    }
    for (const char* index : {"idx_export_jobs_claimed", "idx_export_partitions_running"}) {
      EXPECT_THAT(best, HasSubstr(index)) << statistics;
      EXPECT_THAT(dead, HasSubstr(index)) << statistics;
    }
  }
  const auto database = open_database();
  const std::string due =
      query_plan(*database, "SELECT id FROM export_jobs WHERE status = 'SUCCEEDED' AND expires_at <= {now}");
  EXPECT_THAT(due, HasSubstr("SEARCH export_jobs USING INDEX idx_export_jobs_retention"));
}

}  // namespace
}  // namespace longshore
