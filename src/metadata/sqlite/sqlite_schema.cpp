#include "metadata/sqlite/sqlite_schema.h"

#include <array>

// Types: STRICT tables know integer, text and a few more. A length limit of PostgreSQL's varchar is a CHECK here, a
// timestamptz is microseconds since 1970, jsonb and varchar[] are JSON text. Small columns come first and the long
// ones last, because SQLite reads a row from its beginning and pages of a long value only when they are needed.

namespace longshore::sql {
namespace {

constexpr char kJobs[] = R"(
CREATE TABLE export_jobs (
  id text NOT NULL PRIMARY KEY DEFAULT (lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
    || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  tenant_id text NOT NULL CHECK (length(tenant_id) <= 64),
  requested_by text NOT NULL CHECK (length(requested_by) <= 128),
  export_type text NOT NULL CHECK (length(export_type) <= 64),
  format text NOT NULL CHECK (length(format) <= 16),
  status text NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED')),
  phase text NOT NULL DEFAULT 'plan' CHECK (phase IN ('plan', 'extract', 'assemble', 'done')),
  worker_id text CHECK (length(worker_id) <= 128),
  claimed_for text CHECK (claimed_for IN ('plan', 'assemble', 'clean')),
  epoch integer NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  not_before integer NOT NULL DEFAULT 0,
  needs_cleaning integer NOT NULL DEFAULT 0,
  cleaning_attempts integer NOT NULL DEFAULT 0,
  created_at integer NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)),
  started_at integer,
  completed_at integer,
  expires_at integer NOT NULL,
  retention integer NOT NULL,
  row_count integer NOT NULL DEFAULT 0,
  byte_count integer NOT NULL DEFAULT 0,
  part_size integer NOT NULL DEFAULT 0,
  estimated_rows integer NOT NULL DEFAULT 0,
  partition_count integer NOT NULL DEFAULT 0,
  idempotency_key text CHECK (length(idempotency_key) <= 256),
  request_digest text NOT NULL,
  source_pressure text NOT NULL DEFAULT '',
  object_key text CHECK (length(object_key) <= 512),
  upload_id text,
  error_code text CHECK (length(error_code) <= 128),
  error_message text,
  cleaning_error text,
  requested_columns text NOT NULL CHECK (json_type(requested_columns) = 'array'),
  filters text NOT NULL CHECK (json_valid(filters)),
  spec text NOT NULL CHECK (json_valid(spec)),
  CONSTRAINT uk_tenant_idempotency UNIQUE (tenant_id, idempotency_key),
  CONSTRAINT ck_claim CHECK ((worker_id IS NULL) = (claimed_for IS NULL))
) STRICT)";

constexpr char kPartitions[] = R"(
CREATE TABLE export_job_partitions (
  id text NOT NULL PRIMARY KEY,
  job_id text NOT NULL REFERENCES export_jobs (id) ON DELETE CASCADE,
  partition_index integer NOT NULL,
  range_start text NOT NULL CHECK (length(range_start) <= 128),
  range_end text NOT NULL CHECK (length(range_end) <= 128),
  status text NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED')),
  worker_id text CHECK (length(worker_id) <= 128),
  epoch integer NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  not_before integer NOT NULL DEFAULT 0,
  progressed integer NOT NULL DEFAULT 0,
  failing integer NOT NULL DEFAULT 0,
  row_count integer NOT NULL DEFAULT 0,
  byte_count integer NOT NULL DEFAULT 0,
  live_rows integer NOT NULL DEFAULT 0,
  live_bytes integer NOT NULL DEFAULT 0,
  base_part_number integer NOT NULL,
  part_slots integer NOT NULL,
  created_at integer NOT NULL,
  started_at integer,
  completed_at integer,
  source_pressure text NOT NULL DEFAULT '',
  key_range text NOT NULL CHECK (json_valid(key_range)),
  CONSTRAINT uk_job_partition UNIQUE (job_id, partition_index)
) STRICT)";

// partition_index -1: parts of the file that assembly glued from heads.
constexpr char kParts[] = R"(
CREATE TABLE export_parts (
  job_id text NOT NULL REFERENCES export_jobs (id) ON DELETE CASCADE,
  partition_index integer NOT NULL,
  sequence integer NOT NULL,
  number integer NOT NULL,
  epoch integer NOT NULL,
  row_count integer NOT NULL,
  bytes integer NOT NULL,
  crc32c integer NOT NULL,
  sha256 text NOT NULL,
  etag text NOT NULL,
  recorded_at integer NOT NULL,
  last_key text NOT NULL,
  summary text NOT NULL,
  PRIMARY KEY (job_id, partition_index, sequence)
) STRICT)";

constexpr char kWorkers[] = R"(
CREATE TABLE export_workers (
  id text NOT NULL PRIMARY KEY CHECK (length(id) <= 128),
  host text NOT NULL,
  pid integer NOT NULL,
  status text NOT NULL CHECK (status IN ('ALIVE', 'LOST')),
  started_at integer NOT NULL,
  heartbeat_at integer NOT NULL
) STRICT)";

constexpr char kAudits[] = R"(
CREATE TABLE export_download_audits (
  id text NOT NULL PRIMARY KEY,
  export_id text NOT NULL REFERENCES export_jobs (id) ON DELETE RESTRICT,
  actor_id text NOT NULL CHECK (length(actor_id) <= 128),
  tenant_id text NOT NULL CHECK (length(tenant_id) <= 64),
  client_ip text NOT NULL CHECK (length(client_ip) <= 45),
  user_agent text,
  downloaded_at integer NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))
) STRICT)";

constexpr std::array<const char*, 18> kFirstVersion{
    kJobs,
    "CREATE INDEX idx_export_jobs_tenant_date ON export_jobs (tenant_id, requested_by, created_at DESC)",
    "CREATE INDEX idx_export_jobs_status_created ON export_jobs (status, created_at) WHERE status = 'QUEUED'",
    "CREATE INDEX idx_export_jobs_tenant_created ON export_jobs (tenant_id, created_at DESC, id DESC)",
    // What claiming needs of queued jobs, so that it reads thousands of them without a look at their rows.
    "CREATE INDEX idx_export_jobs_queued ON export_jobs (status, tenant_id, created_at, id) WHERE status = 'QUEUED'",
    // Each of these holds only the few rows that a poll is about, however many jobs have finished.
    "CREATE INDEX idx_export_jobs_running ON export_jobs (phase, created_at) WHERE status = 'RUNNING'",
    "CREATE INDEX idx_export_jobs_claimed ON export_jobs (worker_id) WHERE worker_id IS NOT NULL",
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
    "ALTER TABLE export_jobs ADD COLUMN claimed_at integer",
    "ALTER TABLE export_job_partitions ADD COLUMN claimed_at integer",
    R"(
CREATE TABLE export_offices (
  name text NOT NULL PRIMARY KEY CHECK (length(name) <= 64),
  holder text NOT NULL CHECK (length(holder) <= 128),
  held_until integer NOT NULL
) STRICT)",
};

// A place without a holder is free; one whose lease is over is suspect: its sessions may still be there (unproven: they
// may have been when it was taken last).
constexpr char kSourceConnections[] = R"(
CREATE TABLE source_connections (
  source text NOT NULL,
  place integer NOT NULL,
  mark text NOT NULL CHECK (length(mark) <= 16),
  holder text CHECK (length(holder) <= 128),
  epoch integer NOT NULL DEFAULT 0,
  expires_at integer,
  unproven integer NOT NULL DEFAULT 0,
  PRIMARY KEY (source, place)
) STRICT)";

constexpr char kSourceWaiters[] = R"(
CREATE TABLE source_waiters (
  source text NOT NULL,
  holder text NOT NULL CHECK (length(holder) <= 128),
  since integer NOT NULL,
  expires_at integer NOT NULL,
  PRIMARY KEY (source, holder)
) STRICT)";

constexpr std::array<const char*, 2> kThirdVersion{kSourceConnections, kSourceWaiters};

// A job that reads a snapshot has a row for each keeper of it while it is planned and extracted.
constexpr char kKeepers[] = R"(
CREATE TABLE export_keepers (
  job_id text NOT NULL REFERENCES export_jobs (id) ON DELETE CASCADE,
  seat integer NOT NULL,
  source text NOT NULL,
  worker_id text CHECK (length(worker_id) <= 128),
  epoch integer NOT NULL,
  snapshot_id text,
  not_before integer NOT NULL,
  PRIMARY KEY (job_id, seat)
) STRICT)";

constexpr std::array<const char*, 6> kFourthVersion{
    "ALTER TABLE export_jobs ADD COLUMN snapshot text",
    "ALTER TABLE export_jobs ADD COLUMN snapshot_losses integer",
    "ALTER TABLE export_jobs ADD COLUMN snapshot_policy text",
    "ALTER TABLE export_jobs ADD COLUMN stale_upload_id text",
    "ALTER TABLE export_jobs ADD COLUMN stale_epoch integer",
    kKeepers,
};

// Who we are, for what is marked as ours outside of this database. One row, made once.
constexpr std::array<const char*, 2> kFifthVersion{
    "CREATE TABLE export_deployment (id text NOT NULL, PRIMARY KEY (id)) STRICT",
    "INSERT INTO export_deployment (id) VALUES (lower(hex(randomblob(16))))",
};

constexpr std::array<Migration, 5> kMigrations{
    Migration{1, "jobs, partitions, parts, workers, download audits", kFirstVersion},
    Migration{2, "times of claims, offices", kSecondVersion},
    Migration{3, "places among the connections of a source", kThirdVersion},
    Migration{4, "snapshots and their keepers", kFourthVersion},
    Migration{5, "the deployment's own name", kFifthVersion},
};

}  // namespace

std::span<const Migration> sqlite_migrations() {
  return kMigrations;
}

}  // namespace longshore::sql
