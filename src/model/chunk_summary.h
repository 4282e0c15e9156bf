#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace longshore {

/// What happened to one column's values on their way into the file. A column of zeros came through unchanged.
struct ColumnFidelity {
  std::int64_t guarded = 0;      ///< formula injection guard put before the text
  std::int64_t stringified = 0;  ///< a number or date written as text because the format cannot hold it
  std::int64_t truncated = 0;    ///< cut to the format's limit
  std::int64_t replaced = 0;     ///< invalid UTF-8, NaN or infinity replaced by what the format can hold

  bool clean() const { return guarded + stringified + truncated + replaced == 0; }
  friend bool operator==(const ColumnFidelity&, const ColumnFidelity&) = default;
};

/// What must be remembered of a run of encoded bytes so that the file can be finished without reading them again.
/// Summaries of neighbouring runs are joined with append(), in the order of the bytes.
struct ChunkSummary {
  std::int64_t rows = 0;
  std::int64_t raw_bytes = 0;   ///< length before compression
  std::uint32_t raw_crc32 = 0;  ///< CRC-32 before compression; kept only where the container needs it (gzip, XLSX)
  std::vector<ColumnFidelity> fidelity;  ///< one for each exported column; empty means all zeros
  std::string detail;                    ///< the format's own, e.g. Parquet row groups; joined by concatenation

  void append(const ChunkSummary& next);
  friend bool operator==(const ChunkSummary&, const ChunkSummary&) = default;
};

/// JSON form for the metadata store (`detail` in base64). Errors: `bad_stored_summary`.
std::string to_json(const ChunkSummary& summary);
Result<ChunkSummary> summary_from_json(std::string_view text);

}  // namespace longshore
