#include "assemble/manifest.h"

#include <boost/json.hpp>

#include "assemble/manifest_json.h"
#include "base/version.h"

namespace longshore {

namespace json = boost::json;

namespace {

json::array describe_columns(const ExportSpec& spec) {
  json::array columns;
  for (const Column& column : spec.columns) {
    columns.push_back({{"name", column.name}, {"type", to_string(column.type)}, {"masked", false}});
  }
  return columns;
}

json::array describe_filters(const ExportSpec& spec) {
  static constexpr const char* kNames[] = {"eq", "in", "gte", "gt", "lte", "lt", "isNull"};
  json::array filters;
  for (const Filter& filter : spec.filters) {
    json::array values;
    for (const Value& value : filter.values) values.emplace_back(value.text);
    filters.push_back({{"column", filter.column},
                       {"operator", kNames[static_cast<std::size_t>(filter.op)]},
                       {"values", std::move(values)}});
  }
  return filters;
}

json::value describe_key(const std::optional<KeyTuple>& key) {
  if (!key) return nullptr;
  return json::array(key->begin(), key->end());
}

/// The number of the file's part that holds the byte at `offset`.
int part_number_at(const AssembledFile& file, std::int64_t offset) {
  for (const AssembledPart& part : file.parts) {
    if (offset < part.offset + part.bytes) return part.number;
  }
  return 0;
}

json::object describe_partition(const FinishedPartition& finished, const AssembledFile& file, std::int64_t offset) {
  const auto& [partition, parts] = finished;
  json::array described;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  for (const Part& part : parts) {
    described.push_back({{"number", part.sequence == 0 ? part_number_at(file, offset) : part.number},
                         {"bytes", part.bytes},
                         {"sha256", part.sha256}});
    rows += part.summary.rows;
    bytes += part.bytes;
  }
  return {{"index", partition.index},
          {"range", {{"after", describe_key(partition.range.after)}, {"upto", describe_key(partition.range.upto)}}},
          {"rowCount", rows},
          {"byteCount", bytes},
          {"offset", offset},
          {"parts", std::move(described)}};
}

json::array describe_fidelity(const ExportSpec& spec, const std::vector<ColumnFidelity>& counts) {
  json::array fidelity;
  for (std::size_t i = 0; i < spec.columns.size(); ++i) {
    const ColumnFidelity& column = counts[i];
    fidelity.push_back({{"column", spec.columns[i].name},
                        {"guarded", column.guarded},
                        {"stringified", column.stringified},
                        {"truncated", column.truncated},
                        {"replaced", column.replaced}});
  }
  return fidelity;
}

std::string_view guarantee_of(Consistency mode) {
  switch (mode) {
    case Consistency::best_effort:
      break;
    case Consistency::snapshot:
      return "every row that the snapshot holds, exactly once, as it was at that moment, whatever was written "
             "meanwhile";
    case Consistency::materialized:
      return "every row that was there when the copy was made, exactly once, as it was at that moment";
  }
  return "every row that was there when the export was planned and was not changed while it ran, exactly once, as it "
         "was "
         "when it was read; rows changed while it ran may appear in their old or new state";
}

json::object describe_consistency(const ExportJob& job, const std::string& source) {
  const auto text = [](const std::string& value) { return value.empty() ? json::value(nullptr) : json::value(value); };
  const ExportSnapshot none;
  const ExportSnapshot& snapshot = job.snapshot ? *job.snapshot : none;
  return {{"mode", to_string(job.spec.consistency)},
          {"snapshotId", text(snapshot.id)},
          {"lsn", text(snapshot.lsn)},
          {"takenAt", job.snapshot ? json::value(to_rfc3339(snapshot.taken_at)) : json::value(nullptr)},
          {"source", source},
          {"server", text(snapshot.server)},
          {"systemIdentifier", text(snapshot.system_identifier)},
          {"epochs", job.snapshot_losses + 1},
          {"guarantee", guarantee_of(job.spec.consistency)}};
}

}  // namespace

Result<std::string> make_manifest(const ExportJob& job, const std::vector<FinishedPartition>& partitions,
                                  const AssembledFile& file, const std::string& source, Timestamp now,
                                  const ManifestKey& key) {
  const ExportSpec& spec = job.spec;
  json::array parts;
  for (const AssembledPart& part : file.parts) {
    parts.push_back({{"number", part.number},
                     {"offset", part.offset},
                     {"bytes", part.bytes},
                     {"sha256", part.sha256},
                     {"crc32c", checksum_text(part.crc32c)}});
  }
  json::array ranges;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    ranges.push_back(describe_partition(partitions[i], file, file.partition_offsets[i]));
  }
  json::object manifest{{"manifestVersion", 1},
                        {"exportId", "exp_" + job.id.str()},
                        {"exportType", spec.dataset.name},
                        {"tenantId", job.tenant.str()},
                        {"requestedBy", job.requested_by.str()},
                        {"format", spec.format},
                        {"compression", to_string(spec.compression)},
                        {"columns", describe_columns(spec)},
                        {"filters", describe_filters(spec)},
                        {"consistency", describe_consistency(job, source)},
                        {"rowCount", file.rows},
                        {"byteCount", file.bytes},
                        {"checksum", {{"algorithm", "crc32c"}, {"value", checksum_text(file.crc32c)}}},
                        {"parts", std::move(parts)},
                        {"partitions", std::move(ranges)},
                        {"fidelity", describe_fidelity(spec, file.fidelity)},
                        {"createdAt", to_rfc3339(now)},
                        {"producer", {{"name", "longshore"}, {"version", kVersion}}}};
  TRY(const std::string signature, key.sign(json::serialize(manifest)));
  manifest["signature"] = {
      {"algorithm", "Ed25519"}, {"keyId", key.id()}, {"publicKey", key.public_key()}, {"value", signature}};
  return json::serialize(manifest);
}

std::string manifest_object_key(const std::string& object_key) {
  return object_key + ".manifest.json";
}

Result<std::vector<ColumnFidelity>> manifest_fidelity(std::string_view manifest) {
  try {
    std::vector<ColumnFidelity> fidelity;
    const json::value document = json::parse(manifest);
    for (const json::value& entry : document.at("fidelity").as_array()) {
      fidelity.push_back(
          {entry.at("guarded").to_number<std::int64_t>(), entry.at("stringified").to_number<std::int64_t>(),
           entry.at("truncated").to_number<std::int64_t>(), entry.at("replaced").to_number<std::int64_t>()});
    }
    return fidelity;
  } catch (const std::exception& error) {
    return fail(
        external_error("bad_manifest", std::string("the stored manifest cannot be read: ") + error.what(), false));
  }
}

}  // namespace longshore
