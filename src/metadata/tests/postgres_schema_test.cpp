#include <fmt/format.h>

#include <map>
#include <set>

#include "metadata/migrate.h"
#include "metadata/postgres/postgres_schema.h"
#include "metadata/sqlite/sqlite_schema.h"
#include "metadata/tests/postgres_testbed.h"

// The tables as others meet them, read from the server's own catalogs.

namespace longshore {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSubsetOf;

class PostgresSchemaTest : public testing::Test {
 protected:
  PostgresSchemaTest() { store_ = bed_.open(); }

  /// `name type(length) not-null default`, in the words of information_schema.
  std::vector<std::string> columns(const std::string& table) {
    std::vector<std::string> result;
    for (const TextRow& row : ask(fmt::format(R"(
           SELECT c.column_name, coalesce(e.data_type || '[]', c.data_type),
                  coalesce(e.character_maximum_length, c.character_maximum_length), c.is_nullable, c.column_default
           FROM information_schema.columns c LEFT JOIN information_schema.element_types e
             ON (c.table_schema, c.table_name, c.dtd_identifier) = (e.object_schema, e.object_name, e.collection_type_identifier)
           WHERE c.table_schema = '{}' AND c.table_name = '{}' ORDER BY c.ordinal_position)",
                                              bed_.schema().name(), table))) {
      std::string text = *row[0] + " " + *row[1];
      if (row[2]) text += "(" + *row[2] + ")";
      if (*row[3] == "NO") text += " not null";
      if (row[4]) text += " default " + *row[4];
      result.push_back(text);
    }
    return result;
  }
  /// The definitions of a table's constraints by name.
  std::map<std::string, std::string> constraints(const std::string& table) {
    std::map<std::string, std::string> result;
    for (const TextRow& row : ask("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '" +
                                  table + "'::regclass")) {
      result[*row[0]] = *row[1];
    }
    return result;
  }
  std::string index(const std::string& name) {
    const auto rows = ask("SELECT indexdef FROM pg_indexes WHERE schemaname = '" + bed_.schema().name() +
                          "' AND indexname = '" + name + "'");
    if (rows.empty()) return "there is none";
    const std::string definition = *rows[0][0];
    return definition.substr(definition.find(" ON ") + 4 + bed_.schema().name().size() + 1);
  }
  std::vector<TextRow> ask(const std::string& sql) { return bed_.schema().ask(sql); }

  PostgresTestbed bed_{postgres_dsn()};
  StoreTestbed::Opened store_;
};

TEST_F(PostgresSchemaTest, JobsHaveTheColumnsOfTheContract) {
  const std::vector<std::string> contract = {
      "id uuid not null default gen_random_uuid()",
      "tenant_id character varying(64) not null",
      "requested_by character varying(128) not null",
      "export_type character varying(64) not null",
      "format character varying(16) not null",
      "status character varying(32) not null",
      "filters jsonb not null",
      "requested_columns character varying[] not null",
      "object_key character varying(512)",
      "row_count bigint not null default 0",
      "byte_count bigint not null default 0",
      "error_code character varying(128)",
      "error_message text",
      "created_at timestamp with time zone not null default CURRENT_TIMESTAMP",
      "started_at timestamp with time zone",
      "completed_at timestamp with time zone",
      "expires_at timestamp with time zone not null",
      "idempotency_key character varying(256)",
  };
  EXPECT_THAT(contract, IsSubsetOf(columns("export_jobs")));
  // information_schema does not know how long an array's elements may be.
  EXPECT_EQ(
      *ask("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'export_jobs'::regclass AND "
           "attname = 'requested_columns'")[0][0],
      "character varying(64)[]");
  EXPECT_EQ(constraints("export_jobs")["export_jobs_pkey"], "PRIMARY KEY (id)");
  EXPECT_EQ(constraints("export_jobs")["uk_tenant_idempotency"], "UNIQUE (tenant_id, idempotency_key)");
  EXPECT_EQ(index("idx_export_jobs_tenant_date"), "export_jobs USING btree (tenant_id, requested_by, created_at DESC)");
  EXPECT_EQ(index("idx_export_jobs_status_created"),
            "export_jobs USING btree (status, created_at) WHERE ((status)::text = 'QUEUED'::text)");
}

TEST_F(PostgresSchemaTest, PartitionsHaveTheColumnsOfTheContract) {
  const std::vector<std::string> contract = {
      "id uuid not null",
      "job_id uuid not null",
      "partition_index integer not null",
      "range_start character varying(128) not null",
      "range_end character varying(128) not null",
      "status character varying(32) not null",
      "worker_id character varying(128)",
      "row_count bigint not null default 0",
      "byte_count bigint not null default 0",
      "started_at timestamp with time zone",
      "completed_at timestamp with time zone",
  };
  EXPECT_THAT(contract, IsSubsetOf(columns("export_job_partitions")));
  auto found = constraints("export_job_partitions");
  EXPECT_EQ(found["export_job_partitions_pkey"], "PRIMARY KEY (id)");
  EXPECT_EQ(found["uk_job_partition"], "UNIQUE (job_id, partition_index)");
  EXPECT_EQ(found["export_job_partitions_job_id_fkey"],
            "FOREIGN KEY (job_id) REFERENCES export_jobs(id) ON DELETE CASCADE");
  EXPECT_EQ(index("idx_export_partitions_job"), "export_job_partitions USING btree (job_id)");
}

TEST_F(PostgresSchemaTest, DownloadAuditsHaveTheColumnsOfTheContract) {
  EXPECT_THAT(
      columns("export_download_audits"),
      ElementsAre("id uuid not null", "export_id uuid not null", "actor_id character varying(128) not null",
                  "tenant_id character varying(64) not null", "client_ip character varying(45) not null",
                  "user_agent text", "downloaded_at timestamp with time zone not null default CURRENT_TIMESTAMP"));
  auto found = constraints("export_download_audits");
  EXPECT_EQ(found["export_download_audits_pkey"], "PRIMARY KEY (id)");
  EXPECT_EQ(found["export_download_audits_export_id_fkey"],
            "FOREIGN KEY (export_id) REFERENCES export_jobs(id) ON DELETE RESTRICT");
  EXPECT_EQ(index("idx_export_download_audits_tenant"),
            "export_download_audits USING btree (tenant_id, downloaded_at DESC)");
}

TEST_F(PostgresSchemaTest, TheContractsColumnsAloneMakeARow) {
  ask(R"(INSERT INTO export_jobs (tenant_id, requested_by, export_type, format, status, filters, requested_columns, expires_at)
         VALUES ('acme', 'usr_1', 'audit_logs', 'csv', 'FAILED', '{}', '{id,createdAt}', now() + interval '1 day');
         INSERT INTO export_job_partitions (id, job_id, partition_index, range_start, range_end, status)
         SELECT gen_random_uuid(), id, 0, '', '', 'COMPLETED' FROM export_jobs;
         INSERT INTO export_download_audits (id, export_id, actor_id, tenant_id, client_ip)
         SELECT gen_random_uuid(), id, 'usr_1', 'acme', '::1' FROM export_jobs)");
  EXPECT_EQ(*ask("SELECT count(*) FROM export_job_partitions")[0][0], "1");
}

TEST_F(PostgresSchemaTest, ReadableColumnsHoldWhatPeopleLookFor) {
  NewJob request;
  request.job.id = JobId("0192f0c4-0000-7000-8000-000000000001");
  request.job.tenant = TenantId("acme");
  request.job.spec.dataset.name = "audit_logs";
  request.job.spec.columns = {{"id", "id", {LogicalType::int64}, "", "", false},
                              {"a,\"b", "created_at", {LogicalType::timestamptz}, "pii", "", false}};
  request.job.spec.filters = {
      Filter{.column = "status", .op = FilterOp::eq, .values = {Value{{LogicalType::int32}, "200"}}}};
  ASSERT_THAT(store_.jobs->insert(request), Succeeded());
  const auto row = ask("SELECT requested_columns[2], filters->0->>'column', json_typeof(spec) FROM export_jobs")[0];
  EXPECT_THAT(row, ElementsAre("a,\"b", "status", "object"));
  // A name that is too long is refused, not cut.
  request.job.id = JobId("0192f0c4-0000-7000-8000-000000000002");
  request.job.spec.columns[0].name = std::string(65, 'x');
  EXPECT_THAT(store_.jobs->insert(request), FailedWith(sql::kConstraint));
}

TEST_F(PostgresSchemaTest, LimitsOfTheContractAreKept) {
  NewJob request;
  request.job.id = JobId("0192f0c4-0000-7000-8000-000000000001");
  request.job.tenant = TenantId(std::string(65, 't'));
  EXPECT_THAT(store_.jobs->insert(request), FailedWith(sql::kConstraint));
  request.job.tenant = TenantId("acme");
  request.idempotency_key = std::string(257, 'k');
  EXPECT_THAT(store_.jobs->insert(request), FailedWith(sql::kConstraint));
}

TEST_F(PostgresSchemaTest, BothDatabasesHaveTheSameTablesAndColumns) {
  const auto names = [](std::span<const sql::Migration> migrations) {
    std::set<std::string> found;
    for (const sql::Migration& migration : migrations) {
      for (const std::string_view statement : migration.statements) {
        std::string table;
        std::size_t begin = 0;
        while (begin < statement.size()) {
          const auto end = std::min(statement.find('\n', begin), statement.size());
          std::string_view line = statement.substr(begin, end - begin);
          begin = end + 1;
          if (line.starts_with("CREATE TABLE ")) table = line.substr(13, line.find(' ', 13) - 13);
          if (line.starts_with("ALTER TABLE ")) found.emplace(line.substr(12, line.rfind(' ') - 12));
          if (line.starts_with("CREATE INDEX ")) found.emplace(line.substr(13, line.find(" ON ") - 13));
          const bool column = line.starts_with("  ") && line.size() > 2 && line[2] >= 'a' && line[2] <= 'z';
          if (!table.empty() && column) found.insert(table + "." + std::string(line.substr(2, line.find(' ', 2) - 2)));
        }
      }
    }
    return found;
  };
  EXPECT_EQ(names(sql::postgres_migrations()), names(sql::sqlite_migrations()));
  EXPECT_GT(names(sql::postgres_migrations()).size(), 80U);
}

// --- versions

TEST_F(PostgresSchemaTest, ANewerSchemaIsRefusedAndBothVersionsNamed) {
  ask("INSERT INTO schema_migrations VALUES (999, 'from the future', 0)");
  auto database = *sql::PostgresDatabase::make(bed_.options());
  const auto migrated = sql::migrate(*database);
  ASSERT_THAT(migrated, FailedWith("metadata_schema_newer"));
  EXPECT_FALSE(migrated.error().retriable);
  EXPECT_THAT(migrated.error().message,
              AllOf(HasSubstr("schema version 999"),
                    HasSubstr(fmt::format("knows only up to {}", sql::postgres_migrations().back().version)),
                    HasSubstr(bed_.schema().name())));
  EXPECT_THAT(SqlStore::make(std::move(database)), FailedWith("metadata_schema_newer"));
}

TEST_F(PostgresSchemaTest, AMigrationThatFailsLeavesTheVersionBefore) {
  const TemporarySchema empty;
  sql::PostgresOptions options = bed_.options();
  options.schema = empty.name();
  options.now = "statement_timestamp()";
  empty.ask("CREATE TABLE export_offices (in_the_way integer)");
  auto database = *sql::PostgresDatabase::make(options);
  const auto migrated = sql::migrate(*database);
  ASSERT_FALSE(migrated.has_value());
  EXPECT_THAT(migrated.error().message, AllOf(HasSubstr("migration 2"), HasSubstr("export_offices")));
  EXPECT_EQ(*empty.ask("SELECT max(version) FROM schema_migrations")[0][0], "1");
  EXPECT_EQ(*empty.ask("SELECT count(*) FROM information_schema.columns WHERE table_schema = '" + empty.name() +
                       "' AND column_name = 'claimed_at'")[0][0],
            "0")
      << "all of it or nothing";
  EXPECT_THAT(SqlStore::make(std::move(database)), FailedWith("metadata_schema_older"));
  empty.ask("DROP TABLE export_offices");
  EXPECT_THAT(open_postgres_store(options), testing::NotNull());
}

TEST_F(PostgresSchemaTest, ASchemaIsMadeAndItsNameMayBeAnything) {
  sql::PostgresOptions options = bed_.options();
  options.schema = "Long \"shore's\" " + bed_.schema().name();
  options.now = "statement_timestamp()";
  const auto store = open_postgres_store(options);
  ASSERT_THAT(store, testing::NotNull());
  EXPECT_THAT(store->register_worker(WorkerId("w"), "h", 1), Succeeded());
  EXPECT_EQ(store->workers()->size(), 1U);
  EXPECT_THAT(*store_.jobs->workers(), testing::IsEmpty());
  ask("DROP SCHEMA \"Long \"\"shore's\"\" " + bed_.schema().name() + "\" CASCADE");
}

TEST_F(PostgresSchemaTest, ARoleWithoutRightsOnTheSchemaWorksOnceItIsMigrated) {
  const std::string role = "role_of_" + bed_.schema().name();
  const std::string schema = bed_.schema().name();
  ask("CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA " + schema + " TO " + role +
      "; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + schema + " TO " + role);
  sql::PostgresOptions options = bed_.options();
  options.connection += " user=" + role;
  const auto store = open_postgres_store(options);
  ASSERT_THAT(store, testing::NotNull());
  EXPECT_THAT(store->register_worker(WorkerId("w"), "h", 1), Succeeded());
  EXPECT_THAT(store->claim_next(WorkerId("w")), Succeeded());
  EXPECT_THAT(store->retire_worker(WorkerId("w")), Succeeded());
  ask("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST(PostgresDefaultSchemaTest, WithoutANameTheRolesSearchPathLeads) {
  const std::string name = "metadata_test_" + std::to_string(::getpid());
  ask(postgres_dsn(), "CREATE DATABASE " + name);
  sql::PostgresOptions options;
  options.connection = postgres_dsn() + " dbname=" + name;
  {
    const auto store = open_postgres_store(options);
    ASSERT_THAT(store, testing::NotNull());
    EXPECT_THAT(store->register_worker(WorkerId("w"), "h", 1), Succeeded());
    EXPECT_EQ(store->workers()->size(), 1U);
    EXPECT_EQ(*ask(options.connection, "SELECT count(*) FROM public.export_workers")[0][0], "1");
  }
  ask(postgres_dsn(), "DROP DATABASE " + name + " WITH (FORCE)");
}

}  // namespace
}  // namespace longshore
