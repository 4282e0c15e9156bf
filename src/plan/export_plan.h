#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "model/export_spec.h"
#include "model/job.h"
#include "scan/row_source.h"

namespace longshore {

/// S3's limits, which every store is held to.
inline constexpr int kMaxPartNumber = 10'000;
inline constexpr std::int64_t kMinPartSize = std::int64_t{5} << 20;
/// The part number kept free for what follows the last partition (a footer, a trailer).
inline constexpr int kLastPartNumber = kMaxPartNumber;

struct PlanPolicy {
  std::int64_t part_size = std::int64_t{8} << 20;          ///< bytes, at least kMinPartSize
  std::int64_t partition_rows = 100'000;                   ///< a partition is not planned smaller than this
  std::int64_t partition_bytes = std::int64_t{128} << 20;  ///< …and aims at this many bytes before compression
  int max_partitions = 256;
};

struct ExportPlan {
  std::vector<Partition> partitions;  ///< in index order; none when no row is selected
  std::int64_t part_size = 0;         ///< bytes
  std::int64_t estimated_rows = 0;
};

/// How many partitions an export of this size is cut into.
int partition_count(std::int64_t rows, std::int64_t bytes_per_row, const PlanPolicy& policy);

/// The part size for a file of about `bytes`: the policy's, or larger so that the file fits 10,000 parts with room for
/// estimates that are off by a factor of four.
std::int64_t part_size_for(std::int64_t bytes, const PlanPolicy& policy);

/// The bytes that part `sequence` of a partition with `slots` part numbers should hold: `part_size`, doubling as the
/// numbers run out. A pure function, so that a resumed partition cuts the same parts.
std::int64_t part_target(std::int64_t part_size, int sequence, int slots);

/// Asks the source how large the export is and cuts it. `parallel`: the format allows more than one partition.
/// Errors: those of the source.
Result<ExportPlan> plan_export(SourceDatabase& source, const ExportSpec& spec, bool parallel, const PlanPolicy& policy,
                               std::stop_token stop);

}  // namespace longshore
