#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/export_spec.h"
#include "model/job.h"
#include "model/part_limits.h"
#include "scan/row_source.h"

namespace longshore {

/// The part number kept free for what follows the last partition (a footer, a trailer).
inline constexpr int kLastPartNumber = kMaxPartNumber;

struct PlanPolicy {
  std::int64_t part_size = std::int64_t{8} << 20;          ///< bytes, at least kMinPartBytes
  std::int64_t partition_rows = 100'000;                   ///< a partition is not planned smaller than this
  std::int64_t partition_bytes = std::int64_t{128} << 20;  ///< …and aims at this many bytes before compression
  int max_partitions = 256;
};

/// What the format of an export allows; told by the caller, so that plan/ need not know encoders.
struct FormatRules {
  std::string name;                     ///< `xlsx`, for messages
  bool parallel = true;                 ///< more than one partition may be encoded at once
  std::int64_t max_rows = 0;            ///< of a file; 0: no limit
  std::int64_t max_partition_rows = 0;  ///< of a partition; 0: no limit
  std::int64_t sheet_rows = 0;          ///< of neighbouring partitions that make up a sheet; 0: there are no sheets
};

struct ExportPlan {
  std::vector<Partition> partitions;  ///< in index order; none when no row is selected
  std::int64_t part_size = 0;         ///< bytes
  std::int64_t estimated_rows = 0;    ///< exact where they were counted
};

/// How many partitions an export of this size is cut into.
int partition_count(std::int64_t rows, std::int64_t bytes_per_row, const PlanPolicy& policy);

/// The part size for a file of about `bytes`: the policy's, or larger so that the file fits 10,000 parts with room for
/// estimates that are off by a factor of four.
std::int64_t part_size_for(std::int64_t bytes, const PlanPolicy& policy);

/// The bytes that part `sequence` of a partition with `slots` part numbers should hold: `part_size`, doubling as the
/// numbers run out. A pure function, so that a resumed partition cuts the same parts.
std::int64_t part_target(std::int64_t part_size, int sequence, int slots);

/// How many parts a partition with `slots` part numbers may have; the other numbers are for part_number().
int part_capacity(int slots);
/// The number of part `sequence` (1 or more, below part_capacity()) of `partition` when `claims` claims came before the
/// one that uploads it. A worker that was stopped in the middle of an upload may go on when its successor has uploaded
/// what it read in its place, and of two parts of one number stores keep the last. So every claim has numbers of its
/// own, and a zombie's part is one that nobody names. Ascends with both arguments. Only after more claims than a
/// partition has numbers to spare do they share the last ones.
int part_number(const Partition& partition, int sequence, std::int64_t claims);

/// Asks the source how large the export is and cuts it. When the format has limits, the rows are counted (bounded by
/// the limit and by a minute; after that the source's statistics serve, with a margin).
/// Errors: those of the source; `too_many_rows` when the format cannot hold them.
Result<ExportPlan> plan_export(PlanningView& source, const ExportSpec& spec, const FormatRules& format,
                               const PlanPolicy& policy, std::stop_token stop);

}  // namespace longshore
