#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/chunk_summary.h"
#include "model/export_spec.h"
#include "model/ids.h"
#include "model/key.h"

namespace longshore {

/// QUEUED → RUNNING → SUCCEEDED | FAILED | CANCELLED; QUEUED → CANCELLED; SUCCEEDED → EXPIRED. The last four are final.
enum class JobState { queued, running, succeeded, failed, cancelled, expired };
/// PENDING → RUNNING → COMPLETED | FAILED; RUNNING → PENDING when the lease is lost.
enum class PartitionState { pending, running, completed, failed };

std::string_view to_string(JobState state);  ///< `QUEUED`, …
std::string_view to_string(PartitionState state);
std::optional<JobState> parse_job_state(std::string_view text);  ///< case-insensitive
std::optional<PartitionState> parse_partition_state(std::string_view text);
constexpr bool is_terminal(JobState state) {
  return state != JobState::queued && state != JobState::running;
}

/// The one state of a database that an export reads. Made when the export is planned.
struct ExportSnapshot {
  std::string id;                 ///< PostgreSQL's name of it, `00000003-0000001B-1`; of a materialized one: the table
  std::string lsn;                ///< where its write-ahead log stood, `0/3000148`; empty where there is none
  std::string server;             ///< `host:port/dbname`
  std::string system_identifier;  ///< of the cluster, which a replica shares with its primary
  Timestamp taken_at;
};

/// JSON form of a snapshot, for the metadata store. `snapshot_from_json` reads only what `to_json` wrote
/// (error `bad_stored_job` otherwise).
std::string to_json(const ExportSnapshot& snapshot);
Result<ExportSnapshot> snapshot_from_json(std::string_view text);

/// How often an export begins again whose snapshot was lost.
inline constexpr int kMaxSnapshotRestarts = 3;

/// One request and what became of it, as the metadata store keeps it.
struct ExportJob {
  JobId id;
  TenantId tenant;
  UserId requested_by;
  ExportSpec spec;
  JobState state = JobState::queued;
  std::string object_key;      ///< of the artefact; set when the job is created
  std::string upload_id;       ///< multipart upload of the artefact; empty before the plan is stored
  std::int64_t part_size = 0;  ///< bytes, fixed by the plan so that a resumed export cuts the same parts
  std::int64_t estimated_rows = 0;
  int partition_count = 0;     ///< 0 before the plan is stored
  std::int64_t row_count = 0;  ///< exact once succeeded; before, the highest progress seen
  std::int64_t byte_count = 0;
  std::string error_code;
  std::string error_message;
  Timestamp created_at;
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> completed_at;
  Timestamp expires_at;         ///< end of retention, counted from completion once there is one
  std::string source_pressure;  ///< empty: none; else `paced: why` or `paused: why`
  int attempts = 0;
  std::optional<ExportSnapshot> snapshot;  ///< the one that is read; none with best effort, and before the plan
  int snapshot_losses = 0;                 ///< how many were lost before it
  std::string stale_upload_id;             ///< of the attempt before the last loss; to be aborted, may be gone already
  std::int64_t stale_epoch = 0;            ///< claims on partitions up to this epoch belong to lost snapshots
};

/// A contiguous key range of one job, encoded by one worker at a time.
struct Partition {
  JobId job;
  int index = 0;  ///< 0-based; the order of the partitions in the file
  KeyRange range;
  int base_part_number = 1;  ///< its parts are base … base + part_slots - 1; the head becomes part `base`
  int part_slots = 1;
  PartitionState state = PartitionState::pending;
  std::string worker;  ///< who holds or held it; may be empty
  int attempts = 0;
  std::int64_t row_count = 0;
  std::int64_t byte_count = 0;
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> completed_at;
};

/// Bytes that are durable in the store: the unit of checkpoint and of resume. Part 0 of a partition is its head, kept
/// as a staged object until assembly; the others are already parts of the final multipart upload.
struct Part {
  int sequence = 0;  ///< 0 is the head; no gaps
  int number = 0;    ///< multipart part number; 0 for a head
  std::string etag;  ///< receipt of the store; of a head: the key it is staged under
  std::int64_t bytes = 0;
  std::string sha256;  ///< of the bytes, hexadecimal
  std::uint32_t crc32c = 0;
  KeyTuple last_key;     ///< reading resumes after it
  ChunkSummary summary;  ///< what the encoder must remember of these bytes
};

}  // namespace longshore
