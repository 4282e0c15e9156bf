#include "model/chunk_summary.h"

#include <boost/json.hpp>
#include <exception>

#include "base/digest.h"

namespace longshore {

namespace json = boost::json;

namespace {

ChunkSummary read_summary(const json::value& value) {
  ChunkSummary summary;
  summary.rows = value.at("rows").to_number<std::int64_t>();
  summary.raw_bytes = value.at("rawBytes").to_number<std::int64_t>();
  summary.raw_crc32 = value.at("rawCrc32").to_number<std::uint32_t>();
  for (const json::value& column : value.at("fidelity").as_array()) {
    summary.fidelity.push_back({.guarded = column.at(0).to_number<std::int64_t>(),
                                .stringified = column.at(1).to_number<std::int64_t>(),
                                .truncated = column.at(2).to_number<std::int64_t>(),
                                .replaced = column.at(3).to_number<std::int64_t>()});
  }
  summary.detail = base64url_decode(value.at("detail").as_string()).value();
  return summary;
}

}  // namespace

void ChunkSummary::append(const ChunkSummary& next) {
  rows += next.rows;
  raw_crc32 = crc32_combine(raw_crc32, next.raw_crc32, static_cast<std::uint64_t>(next.raw_bytes));
  raw_bytes += next.raw_bytes;
  if (fidelity.size() < next.fidelity.size()) fidelity.resize(next.fidelity.size());
  for (std::size_t i = 0; i < next.fidelity.size(); ++i) {
    fidelity[i].guarded += next.fidelity[i].guarded;
    fidelity[i].stringified += next.fidelity[i].stringified;
    fidelity[i].truncated += next.fidelity[i].truncated;
    fidelity[i].replaced += next.fidelity[i].replaced;
  }
  detail += next.detail;
}

std::string to_json(const ChunkSummary& summary) {
  json::array fidelity;
  for (const ColumnFidelity& column : summary.fidelity) {
    fidelity.push_back(json::array{column.guarded, column.stringified, column.truncated, column.replaced});
  }
  return json::serialize(json::object{{"rows", summary.rows},
                                      {"rawBytes", summary.raw_bytes},
                                      {"rawCrc32", summary.raw_crc32},
                                      {"fidelity", std::move(fidelity)},
                                      {"detail", base64url_encode(summary.detail)}});
}

Result<ChunkSummary> summary_from_json(std::string_view text) {
  try {
    return read_summary(json::parse(text));
  } catch (const std::exception& problem) {
    return fail(
        internal_error("bad_stored_summary", std::string("a stored part's summary cannot be read: ") + problem.what()));
  }
}

}  // namespace longshore
