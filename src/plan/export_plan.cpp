#include "plan/export_plan.h"

#include <algorithm>
#include <utility>

namespace longshore {

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

int partition_count(std::int64_t rows, std::int64_t bytes_per_row, const PlanPolicy& policy) {
  const std::int64_t by_bytes = divide_up(rows * std::max<std::int64_t>(bytes_per_row, 1), policy.partition_bytes);
  const std::int64_t by_rows = divide_up(rows, policy.partition_rows);
  return static_cast<int>(std::clamp<std::int64_t>(std::min(by_bytes, by_rows), 1, policy.max_partitions));
}

std::int64_t part_size_for(std::int64_t bytes, const PlanPolicy& policy) {
  const std::int64_t needed = divide_up(bytes * 4, kMaxPartNumber);
  return std::max(policy.part_size, divide_up(needed, kMiB) * kMiB);
}

std::int64_t part_target(std::int64_t part_size, int sequence, int slots) {
  if (sequence < slots / 2) return part_size;
  if (sequence < slots * 3 / 4) return part_size * 2;
  return part_size * 4;
}

Result<ExportPlan> plan_export(SourceDatabase& source, const ExportSpec& spec, bool parallel, const PlanPolicy& policy,
                               std::stop_token stop) {
  TRY(const ScanEstimate estimate, source.estimate(spec, stop));

  PartitionRequest request;
  request.partitions = parallel ? partition_count(estimate.rows, estimate.bytes_per_row, policy) : 1;
  request.exact = spec.dataset.exact_boundaries;
  TRY(PartitionPlan cut, source.plan_partitions(spec, request, stop));

  ExportPlan plan;
  plan.estimated_rows = estimate.rows;
  plan.part_size = part_size_for(estimate.rows * estimate.bytes_per_row, policy);
  if (cut.ranges.empty()) return plan;
  // Part numbers need not be consecutive, so every partition gets an equal share of all of them.
  const int slots = (kLastPartNumber - 1) / static_cast<int>(cut.ranges.size());
  for (KeyRange& range : cut.ranges) {
    Partition partition;
    partition.index = static_cast<int>(plan.partitions.size());
    partition.range = std::move(range);
    partition.base_part_number = 1 + partition.index * slots;
    partition.part_slots = slots;
    plan.partitions.push_back(std::move(partition));
  }
  return plan;
}

}  // namespace longshore
