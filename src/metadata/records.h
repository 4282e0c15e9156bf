#pragma once

#include <span>
#include <string>
#include <string_view>

#include "metadata/job_store.h"
#include "metadata/sql.h"

/// Rows of the tables as the values of model/, and back.
namespace longshore::records {

/// What read_job() needs, for SELECT and RETURNING.
inline constexpr char kJobColumns[] = R"(id, tenant_id, requested_by, status, object_key, upload_id, part_size,
  estimated_rows, partition_count, row_count, byte_count, error_code, error_message, source_pressure, attempts,
  snapshot, snapshot_losses, stale_upload_id, stale_epoch,
  {micros created_at} AS created_at, {micros started_at} AS started_at, {micros completed_at} AS completed_at,
  {micros expires_at} AS expires_at, spec)";
/// Errors: `bad_stored_job`, `bad_stored_spec` (internal): a row that this build did not write.
Result<ExportJob> read_job(const sql::Row& row);
/// Inserts the row; false when the tenant has used the idempotency key before, and then nothing is changed.
Result<bool> insert_job(sql::Transaction& transaction, const NewJob& job);

/// What read_partition() needs. Counts are the progress that heartbeats brought, where it is ahead of the checkpoints.
inline constexpr char kPartitionColumns[] = R"(job_id, partition_index, key_range, base_part_number, part_slots, status,
  worker_id, attempts, epoch, {greatest row_count | live_rows} AS row_count, {greatest byte_count | live_bytes} AS byte_count,
  {micros started_at} AS started_at, {micros completed_at} AS completed_at)";
Result<Partition> read_partition(const sql::Row& row);
Status insert_partitions(sql::Transaction& transaction, const JobId& job, std::span<const Partition> partitions,
                         Timestamp now);

/// The checkpoints of a partition in sequence order; `partition` -1: the glued parts of the file.
Result<std::vector<Part>> read_parts(sql::Transaction& transaction, const JobId& job, int partition);
Status insert_part(sql::Transaction& transaction, const Claim& claim, const Part& part);

/// The database's time.
Result<Timestamp> read_now(sql::Transaction& transaction);

/// JSON form of a key range: `{"after":["7"],"upto":["9"]}`, with null for an open end; `{"empty":true}`.
std::string range_to_json(const KeyRange& range);
/// Errors: `bad_stored_range` (internal).
Result<KeyRange> range_from_json(std::string_view text);

/// What a text column holds anywhere: UTF-8, ill-formed bytes and NUL replaced by U+FFFD. For words that people read;
/// what is compared or read back by us must come through unchanged and goes another way.
std::string readable(std::string_view text);
/// The same, cut to at most `characters` code points: what a varchar column holds.
std::string shorten(std::string_view text, std::size_t characters);

/// JSON text that may hold a source's bytes as they are, in a form that every database keeps: itself if it is UTF-8,
/// else a JSON string of its base64url. Our own JSON of this kind is never a bare string.
std::string storable_json(std::string json);
/// The opposite. Errors: `bad_base64`.
Result<std::string> stored_json(std::string text);

}  // namespace longshore::records
