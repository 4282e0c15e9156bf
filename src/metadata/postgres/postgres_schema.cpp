#include "metadata/postgres/postgres_schema.h"

#include <array>

// The tables, columns, constraints and indexes that others rely on have fixed names and types; the rest is ours, and
// has defaults, so that a row can be inserted with the former alone. The same columns as in sqlite_schema.cpp.
//
// Rows that are updated every second leave room in their pages (fillfactor), so that a new version finds place beside
// the old one and no index is touched.

namespace longshore::sql {
namespace {

// spec and key_range are json, not jsonb: they are only ever read as a whole, and come back as they were written.
constexpr char kJobs[] = R"(
CREATE TABLE export_jobs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id varchar(64) NOT NULL,
  requested_by varchar(128) NOT NULL,
  export_type varchar(64) NOT NULL,
  format varchar(16) NOT NULL,
  status varchar(32) NOT NULL,
  filters jsonb NOT NULL,
  requested_columns varchar(64)[] NOT NULL,
  object_key varchar(512),
  row_count bigint NOT NULL DEFAULT 0,
  byte_count bigint NOT NULL DEFAULT 0,
  error_code varchar(128),
  error_message text,
  created_at timestamptz NOT NULL DEFAULT current_timestamp,
  started_at timestamptz,
  completed_at timestamptz,
  expires_at timestamptz NOT NULL,
  idempotency_key varchar(256),
  phase varchar(16) NOT NULL DEFAULT 'plan',
  worker_id varchar(128),
  claimed_for varchar(16),
  epoch bigint NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT current_timestamp,
  needs_cleaning integer NOT NULL DEFAULT 0,
  cleaning_attempts integer NOT NULL DEFAULT 0,
  cleaning_error text,
  retention bigint NOT NULL DEFAULT 0,
  part_size bigint NOT NULL DEFAULT 0,
  estimated_rows bigint NOT NULL DEFAULT 0,
  partition_count integer NOT NULL DEFAULT 0,
  request_digest text NOT NULL DEFAULT '',
  source_pressure text NOT NULL DEFAULT '',
  upload_id text,
  spec json NOT NULL DEFAULT 'null',
  CONSTRAINT uk_tenant_idempotency UNIQUE (tenant_id, idempotency_key),
  CONSTRAINT ck_claim CHECK ((worker_id IS NULL) = (claimed_for IS NULL))
) WITH (fillfactor = 80))";

constexpr char kPartitions[] = R"(
CREATE TABLE export_job_partitions (
  id uuid PRIMARY KEY,
  job_id uuid NOT NULL REFERENCES export_jobs (id) ON DELETE CASCADE,
  partition_index int NOT NULL,
  range_start varchar(128) NOT NULL,
  range_end varchar(128) NOT NULL,
  status varchar(32) NOT NULL,
  worker_id varchar(128),
  row_count bigint NOT NULL DEFAULT 0,
  byte_count bigint NOT NULL DEFAULT 0,
  started_at timestamptz,
  completed_at timestamptz,
  epoch bigint NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT current_timestamp,
  progressed integer NOT NULL DEFAULT 0,
  failing integer NOT NULL DEFAULT 0,
  live_rows bigint NOT NULL DEFAULT 0,
  live_bytes bigint NOT NULL DEFAULT 0,
  base_part_number integer NOT NULL DEFAULT 1,
  part_slots integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT current_timestamp,
  source_pressure text NOT NULL DEFAULT '',
  key_range json NOT NULL DEFAULT 'null',
  CONSTRAINT uk_job_partition UNIQUE (job_id, partition_index)
) WITH (fillfactor = 80))";

// partition_index -1: parts of the file that assembly glued from heads.
constexpr char kParts[] = R"(
CREATE TABLE export_parts (
  job_id uuid NOT NULL REFERENCES export_jobs (id) ON DELETE CASCADE,
  partition_index integer NOT NULL,
  sequence integer NOT NULL,
  number integer NOT NULL,
  epoch bigint NOT NULL,
  row_count bigint NOT NULL,
  bytes bigint NOT NULL,
  crc32c bigint NOT NULL,
  sha256 text NOT NULL,
  etag text NOT NULL,
  recorded_at timestamptz NOT NULL,
  last_key text NOT NULL,
  summary text NOT NULL,
  PRIMARY KEY (job_id, partition_index, sequence)
))";

constexpr char kWorkers[] = R"(
CREATE TABLE export_workers (
  id varchar(128) PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  status varchar(16) NOT NULL,
  started_at timestamptz NOT NULL,
  heartbeat_at timestamptz NOT NULL
) WITH (fillfactor = 50))";

constexpr char kAudits[] = R"(
CREATE TABLE export_download_audits (
  id uuid PRIMARY KEY,
  export_id uuid NOT NULL REFERENCES export_jobs (id) ON DELETE RESTRICT,
  actor_id varchar(128) NOT NULL,
  tenant_id varchar(64) NOT NULL,
  client_ip varchar(45) NOT NULL,
  user_agent text,
  downloaded_at timestamptz NOT NULL DEFAULT current_timestamp
))";

constexpr std::array<const char*, 18> kFirstVersion{
    kJobs,
    "CREATE INDEX idx_export_jobs_tenant_date ON export_jobs (tenant_id, requested_by, created_at DESC)",
    "CREATE INDEX idx_export_jobs_status_created ON export_jobs (status, created_at) WHERE status = 'QUEUED'",
    "CREATE INDEX idx_export_jobs_tenant_created ON export_jobs (tenant_id, created_at DESC, id DESC)",
    // What claiming needs of queued jobs, so that it reads thousands of them without a look at their rows.
    "CREATE INDEX idx_export_jobs_queued ON export_jobs (status, tenant_id, created_at, id) WHERE status = 'QUEUED'",
    // Each of these holds only the few rows that a poll is about, however many jobs have finished.
    "CREATE INDEX idx_export_jobs_running ON export_jobs (phase, created_at) WHERE status = 'RUNNING'",
    // claimed_for comes first because a condition on it tells that few jobs are claimed, also without statistics.
    "CREATE INDEX idx_export_jobs_claimed ON export_jobs (claimed_for, worker_id) WHERE worker_id IS NOT NULL",
    "CREATE INDEX idx_export_jobs_cleaning ON export_jobs (not_before) WHERE needs_cleaning = 1",
    "CREATE INDEX idx_export_jobs_retention ON export_jobs (expires_at) WHERE status = 'SUCCEEDED'",
    kPartitions,
    "CREATE INDEX idx_export_partitions_job ON export_job_partitions (job_id)",
    "CREATE INDEX idx_export_partitions_pending ON export_job_partitions (job_id, partition_index) "
    "WHERE status = 'PENDING'",
    "CREATE INDEX idx_export_partitions_running ON export_job_partitions (worker_id, job_id) WHERE status = 'RUNNING'",
    kParts,
    kWorkers,
    kAudits,
    "CREATE INDEX idx_export_download_audits_tenant ON export_download_audits (tenant_id, downloaded_at DESC)",
    "CREATE INDEX idx_export_download_audits_export ON export_download_audits (export_id, downloaded_at DESC)",
};

constexpr std::array<const char*, 3> kSecondVersion{
    "ALTER TABLE export_jobs ADD COLUMN claimed_at timestamptz",
    "ALTER TABLE export_job_partitions ADD COLUMN claimed_at timestamptz",
    R"(
CREATE TABLE export_offices (
  name varchar(64) PRIMARY KEY,
  holder varchar(128) NOT NULL,
  held_until timestamptz NOT NULL
))",
};

// A place without a holder is free; one whose lease is over is suspect: its sessions may still be there (unproven: they
// may have been when it was taken last).
constexpr char kSourceConnections[] = R"(
CREATE TABLE source_connections (
  source text NOT NULL,
  place integer NOT NULL,
  mark varchar(16) NOT NULL,
  holder varchar(128),
  epoch bigint NOT NULL DEFAULT 0,
  expires_at timestamptz,
  unproven integer NOT NULL DEFAULT 0,
  PRIMARY KEY (source, place)
) WITH (fillfactor = 50))";

constexpr char kSourceWaiters[] = R"(
CREATE TABLE source_waiters (
  source text NOT NULL,
  holder varchar(128) NOT NULL,
  since timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (source, holder)
) WITH (fillfactor = 50))";

constexpr std::array<const char*, 2> kThirdVersion{kSourceConnections, kSourceWaiters};

// A job that reads a snapshot has a row for each keeper of it while it is planned and extracted.
constexpr char kKeepers[] = R"(
CREATE TABLE export_keepers (
  job_id uuid NOT NULL REFERENCES export_jobs (id) ON DELETE CASCADE,
  seat integer NOT NULL,
  source varchar(64) NOT NULL,
  worker_id varchar(128),
  epoch bigint NOT NULL,
  snapshot_id text,
  not_before timestamptz NOT NULL,
  PRIMARY KEY (job_id, seat)
))";

constexpr std::array<const char*, 6> kFourthVersion{
    "ALTER TABLE export_jobs ADD COLUMN snapshot text",
    "ALTER TABLE export_jobs ADD COLUMN snapshot_losses integer",
    "ALTER TABLE export_jobs ADD COLUMN snapshot_policy text",
    "ALTER TABLE export_jobs ADD COLUMN stale_upload_id text",
    "ALTER TABLE export_jobs ADD COLUMN stale_epoch bigint",
    kKeepers,
};

// Who we are, for what is marked as ours outside of this database. One row, made once.
constexpr std::array<const char*, 2> kFifthVersion{
    "CREATE TABLE export_deployment (id text NOT NULL, PRIMARY KEY (id))",
    "INSERT INTO export_deployment (id) VALUES (replace(gen_random_uuid()::text, '-', ''))",
};

constexpr std::array<Migration, 5> kMigrations{
    Migration{1, "jobs, partitions, parts, workers, download audits", kFirstVersion},
    Migration{2, "times of claims, offices", kSecondVersion},
    Migration{3, "places among the connections of a source", kThirdVersion},
    Migration{4, "snapshots and their keepers", kFourthVersion},
    Migration{5, "the deployment's own name", kFifthVersion},
};

}  // namespace

std::span<const Migration> postgres_migrations() {
  return kMigrations;
}

}  // namespace longshore::sql
