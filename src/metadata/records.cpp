#include "metadata/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>

#include "base/digest.h"
#include "base/random.h"
#include "base/utf8.h"

namespace longshore::records {
namespace {

namespace json = boost::json;

constexpr std::size_t kRangeCharacters = 128;  // range_start and range_end are varchar(128)

/// An end of a range as people read it; the whole of it is in key_range.
std::string readable_end(const std::optional<KeyTuple>& key) {
  return key ? shorten(to_json(*key), kRangeCharacters) : std::string();
}

json::value parse(std::string_view text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // keys hold the source's bytes, whatever they are
  return json::parse(text, {}, options);
}

std::optional<KeyTuple> read_key(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  KeyTuple key;
  for (const json::value& part : value.as_array()) key.emplace_back(part.as_string());
  return key;
}

std::string column_names(const ExportSpec& spec) {
  json::array names;
  for (const Column& column : spec.columns) names.emplace_back(column.name);
  return json::serialize(names);
}

/// The filters in the one JSON form that the model gives them.
std::string filters_of(const std::string& spec_json) {
  return json::serialize(parse(spec_json).at("filters"));
}

}  // namespace

Result<ExportJob> read_job(const sql::Row& row) {
  const auto state = parse_job_state(row.text("status"));
  if (!state) {
    return fail(
        internal_error("bad_stored_job", "export " + row.text("id") + " has the unknown status " + row.text("status")));
  }
  auto spec = spec_from_json(row.text("spec"));
  if (!spec) return fail(std::move(spec).error().with_context("export " + row.text("id")));
  ExportJob job;
  job.id = JobId(row.text("id"));
  job.tenant = TenantId(row.text("tenant_id"));
  job.requested_by = UserId(row.text("requested_by"));
  job.spec = *std::move(spec);
  job.state = *state;
  job.object_key = row.text("object_key");
  job.upload_id = row.text("upload_id");
  job.part_size = row.integer("part_size");
  job.estimated_rows = row.integer("estimated_rows");
  job.partition_count = static_cast<int>(row.integer("partition_count"));
  job.row_count = row.integer("row_count");
  job.byte_count = row.integer("byte_count");
  job.error_code = row.text("error_code");
  job.error_message = row.text("error_message");
  job.created_at = row.time("created_at");
  job.started_at = row.optional_time("started_at");
  job.completed_at = row.optional_time("completed_at");
  job.expires_at = row.time("expires_at");
  job.source_pressure = row.text("source_pressure");
  job.attempts = static_cast<int>(row.integer("attempts"));
  if (!row.is_null("snapshot")) {
    TRY(job.snapshot, snapshot_from_json(row.text("snapshot")));
  }
  job.snapshot_losses = static_cast<int>(row.integer("snapshot_losses"));
  job.stale_upload_id = row.text("stale_upload_id");
  job.stale_epoch = row.integer("stale_epoch");
  return job;
}

Result<bool> insert_job(sql::Transaction& transaction, const NewJob& request) {
  const ExportJob& job = request.job;
  const std::string spec = to_json(job.spec);
  TRY(const std::int64_t inserted,
      transaction.execute(
          R"(
    INSERT INTO export_jobs (id, tenant_id, requested_by, export_type, format, status, phase, object_key, requested_columns,
      filters, spec, estimated_rows, idempotency_key, request_digest, retention, created_at, not_before, expires_at)
    VALUES ($1, $2, $3, $4, $5, 'QUEUED', 'plan', $6, {text_array $7}, {json $8}, {json $9}, $10, $11, $12, $13,
      {now}, {now}, {later {now} | $13})
    ON CONFLICT (tenant_id, idempotency_key) DO NOTHING)",
          {job.id, job.tenant, job.requested_by, job.spec.dataset.name, job.spec.format,
           sql::null_if_empty(job.object_key), column_names(job.spec), filters_of(spec), spec, job.estimated_rows,
           sql::null_if_empty(request.idempotency_key), request.request_digest, request.retention}));
  return inserted == 1;
}

Result<Partition> read_partition(const sql::Row& row) {
  const auto state = parse_partition_state(row.text("status"));
  if (!state) {
    return fail(internal_error("bad_stored_job", "a partition of export " + row.text("job_id") +
                                                     " has the unknown status " + row.text("status")));
  }
  Partition partition;
  TRY(const std::string range, stored_json(row.text("key_range")));
  TRY(partition.range, range_from_json(range));
  partition.job = JobId(row.text("job_id"));
  partition.index = static_cast<int>(row.integer("partition_index"));
  partition.base_part_number = static_cast<int>(row.integer("base_part_number"));
  partition.part_slots = static_cast<int>(row.integer("part_slots"));
  partition.state = *state;
  partition.worker = row.text("worker_id");
  partition.attempts = static_cast<int>(row.integer("attempts"));
  partition.row_count = row.integer("row_count");
  partition.byte_count = row.integer("byte_count");
  partition.started_at = row.optional_time("started_at");
  partition.completed_at = row.optional_time("completed_at");
  return partition;
}

namespace {

/// `INSERT` of as many partitions: $1 is the job, $2 the time, and each row has kRowParams of its own.
constexpr std::size_t kRowParams = 7;
std::string insert_sql(std::size_t rows) {
  std::string sql = R"(
    INSERT INTO export_job_partitions (id, job_id, partition_index, range_start, range_end, key_range, base_part_number,
      part_slots, status, created_at, not_before) VALUES )";
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t n = 3 + row * kRowParams;
    sql += fmt::format("{}(${}, $1, ${}, ${}, ${}, {{json ${}}}, ${}, ${}, 'PENDING', {{time $2}}, {{time $2}})",
                       row == 0 ? "" : ", ", n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6);
  }
  return sql;
}

}  // namespace

Status insert_partitions(sql::Transaction& transaction, const JobId& job, std::span<const Partition> partitions,
                         Timestamp now) {
  // A plan may have thousands: many to a statement, since each costs a round trip. Two lengths only, as the texts of
  // statements are a fixed set.
  constexpr std::size_t kMany = 50;
  static const std::string kInsertMany = insert_sql(kMany);
  static const std::string kInsertOne = insert_sql(1);
  while (!partitions.empty()) {
    const bool many = partitions.size() >= kMany;
    std::vector<sql::Param> params{job, now};
    for (const Partition& partition : partitions.first(many ? kMany : 1)) {
      const KeyRange& range = partition.range;
      params.insert(params.end(),
                    {uuid_v7(now), partition.index, readable_end(range.after), readable_end(range.upto),
                     storable_json(range_to_json(range)), partition.base_part_number, partition.part_slots});
    }
    TRY(const sql::Rows inserted, transaction.query(many ? kInsertMany : kInsertOne, params));
    partitions = partitions.subspan(many ? kMany : 1);
  }
  return {};
}

Result<std::vector<Part>> read_parts(sql::Transaction& transaction, const JobId& job, int partition) {
  TRY(const sql::Rows rows, transaction.query(R"(
    SELECT sequence, number, etag, bytes, sha256, crc32c, last_key, summary FROM export_parts
    WHERE job_id = $1 AND partition_index = $2 ORDER BY sequence)",
                                              {job, partition}));
  std::vector<Part> parts;
  parts.reserve(rows.size());
  for (const sql::Row row : rows) {
    Part part;
    TRY(const std::string last_key, stored_json(row.text("last_key")));
    TRY(part.last_key, key_from_json(last_key));
    TRY(part.summary, summary_from_json(row.text("summary")));
    part.sequence = static_cast<int>(row.integer("sequence"));
    part.number = static_cast<int>(row.integer("number"));
    part.etag = row.text("etag");
    part.bytes = row.integer("bytes");
    part.sha256 = row.text("sha256");
    part.crc32c = static_cast<std::uint32_t>(row.integer("crc32c"));
    parts.push_back(std::move(part));
  }
  return parts;
}

Status insert_part(sql::Transaction& transaction, const Claim& claim, const Part& part) {
  CHECK_OK(transaction.execute(
      R"(
    INSERT INTO export_parts (job_id, partition_index, sequence, number, epoch, row_count, bytes, crc32c, sha256, etag,
      recorded_at, last_key, summary)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {now}, $11, $12))",
      {claim.job, claim.partition, part.sequence, part.number, claim.epoch, part.summary.rows, part.bytes, part.crc32c,
       part.sha256, part.etag, storable_json(to_json(part.last_key)), to_json(part.summary)}));
  return {};
}

Result<Timestamp> read_now(sql::Transaction& transaction) {
  TRY(const sql::Rows rows, transaction.query("SELECT {micros {now}} AS now"));
  return rows[0].time("now");
}

std::string range_to_json(const KeyRange& range) {
  if (range.empty) return R"({"empty":true})";
  const auto end = [](const std::optional<KeyTuple>& key) { return key ? to_json(*key) : std::string("null"); };
  return R"({"after":)" + end(range.after) + R"(,"upto":)" + end(range.upto) + "}";
}

Result<KeyRange> range_from_json(std::string_view text) {
  try {
    const json::object object = parse(text).as_object();
    KeyRange range;
    if (object.contains("empty")) {
      range.empty = object.at("empty").as_bool();
      return range;
    }
    range.after = read_key(object.at("after"));
    range.upto = read_key(object.at("upto"));
    return range;
  } catch (const std::exception& error) {
    return fail(internal_error("bad_stored_range", "a stored key range is not what this build writes: " +
                                                       std::string(text) + " (" + error.what() + ")"));
  }
}

std::string readable(std::string_view text) {
  if (text.empty()) return {};
  std::string copy(text.size() * 3, '\0');
  copy.resize(static_cast<std::size_t>(copy_as_utf8(text, copy.data()) - copy.data()));
  for (std::size_t at = 0; (at = copy.find('\0', at)) != std::string::npos;) copy.replace(at, 1, "\xEF\xBF\xBD");
  return copy;
}

std::string shorten(std::string_view text, std::size_t characters) {
  std::string copy = readable(text);
  std::size_t end = 0;
  for (std::size_t count = 0; end < copy.size(); ++end) {
    const bool first_byte = (static_cast<unsigned char>(copy[end]) & 0xC0) != 0x80;
    if (first_byte && ++count > characters) break;
  }
  copy.resize(end);
  return copy;
}

std::string storable_json(std::string json) {
  return is_utf8(json) ? std::move(json) : '"' + base64url_encode(json) + '"';
}

Result<std::string> stored_json(std::string text) {
  if (!text.starts_with('"')) return text;
  return base64url_decode(std::string_view(text).substr(1, text.size() - std::min<std::size_t>(2, text.size())));
}

}  // namespace longshore::records
