#include "plan/export_plan.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace longshore {

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
/// For the one pass over the keys that a format with limits needs.
constexpr std::chrono::milliseconds kCountLimit = std::chrono::minutes{1};
/// Statistics may be off by this much before an export is refused for what they say.
constexpr std::int64_t kStatisticsMargin = 2;

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// `how_many`: `70000`, `about 70000`.
Error too_many_rows(const FormatRules& format, const std::string& how_many) {
  return user_error("too_many_rows",
                    "the format " + format.name + " holds at most " + std::to_string(format.max_rows) +
                        " rows and the export has " + how_many +
                        "; take fewer by a filter, e.g. a shorter time range, or another format, e.g. csv");
}

/// Whether the format can hold the rows, by all that is known of them. What is counted stops behind the limit.
Status check_rows(const FormatRules& format, const ScanEstimate& estimate, std::optional<std::int64_t> counted) {
  if (format.max_rows <= 0) return {};
  const std::string about = "about " + std::to_string(estimate.rows);
  if (estimate.exact && estimate.rows > format.max_rows) {
    return fail(too_many_rows(format, std::to_string(estimate.rows)));
  }
  if (counted && *counted > format.max_rows) {
    return fail(too_many_rows(format, estimate.rows > *counted ? about : "more than " + std::to_string(*counted - 1)));
  }
  if (!counted && estimate.rows / kStatisticsMargin > format.max_rows) return fail(too_many_rows(format, about));
  return {};
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

int part_capacity(int slots) {
  constexpr int kSpareShare = 8;
  return slots - slots / kSpareShare;
}

int part_number(const Partition& partition, int sequence, std::int64_t claims) {
  const std::int64_t spare = partition.part_slots - part_capacity(partition.part_slots);
  return partition.base_part_number + sequence + static_cast<int>(std::clamp<std::int64_t>(claims, 0, spare));
}

Result<ExportPlan> plan_export(PlanningView& source, const ExportSpec& spec, const FormatRules& format,
                               const PlanPolicy& policy, std::stop_token stop) {
  TRY(ScanEstimate estimate, source.estimate(spec, stop));
  if (estimate.exact) CHECK_OK(check_rows(format, estimate, estimate.rows));

  PartitionRequest request;
  request.partitions = format.parallel ? partition_count(estimate.rows, estimate.bytes_per_row, policy) : 1;
  request.exact = spec.dataset.exact_boundaries;
  request.max_rows = format.max_partition_rows;
  request.group_rows = format.sheet_rows;
  request.max_total_rows = format.max_rows;
  if (request.limited()) request.time_limit = kCountLimit;
  TRY(PartitionPlan cut, source.plan_partitions(spec, request, stop));
  CHECK_OK(check_rows(format, estimate, cut.rows));
  if (cut.rows) estimate.rows = *cut.rows;

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
