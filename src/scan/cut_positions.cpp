#include "scan/cut_positions.h"

#include <algorithm>

namespace longshore {

int partition_count_for(std::int64_t rows, const PartitionRequest& request) {
  const auto wanted = std::max<std::int64_t>(request.partitions, 1);
  if (request.max_rows <= 0) return static_cast<int>(wanted);
  const std::int64_t groups = std::max<std::int64_t>((rows + request.max_rows - 1) / request.max_rows, 1);
  const std::int64_t per_group = (wanted + groups - 1) / groups;
  return static_cast<int>(groups * per_group);
}

std::vector<std::int64_t> cut_positions(std::int64_t rows, const PartitionRequest& request) {
  const std::int64_t partitions = partition_count_for(rows, request);
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 1; i < partitions; ++i) {
    const std::int64_t position = rows * i / partitions;
    if (position > 0 && (positions.empty() || positions.back() != position)) positions.push_back(position);
  }
  return positions;
}

std::int64_t cautious_rows(std::int64_t estimated) {
  return estimated * 2;
}

}  // namespace longshore
