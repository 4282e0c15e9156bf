#include "scan/cut_positions.h"

#include <algorithm>

namespace longshore {

namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

int partition_count_for(std::int64_t rows, const PartitionRequest& request) {
  const std::int64_t wanted = std::max(request.partitions, 1);
  const std::int64_t groups =
      request.group_rows > 0 ? std::max<std::int64_t>(divide_up(rows, request.group_rows), 1) : 1;
  const std::int64_t needed = request.max_rows > 0 ? divide_up(divide_up(rows, groups), request.max_rows) : 1;
  return static_cast<int>(groups * std::max({divide_up(wanted, groups), needed, std::int64_t{1}}));
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
