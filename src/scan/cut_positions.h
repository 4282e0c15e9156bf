#pragma once

#include <cstdint>
#include <vector>

#include "scan/row_source.h"

namespace longshore {

/// How many partitions `rows` rows are cut into: the wanted number, or as many as the request's limits need. With
/// groups it is a multiple of how many of them the rows need, so that evenly cut partitions fill them. REQUIRES: rows
/// >= 0.
int partition_count_for(std::int64_t rows, const PartitionRequest& request);

/// After how many rows each cut comes, rising, none at either end: as even as can be.
std::vector<std::int64_t> cut_positions(std::int64_t rows, const PartitionRequest& request);

/// The rows that a plan reckons with when statistics say `estimated` and counting took too long.
std::int64_t cautious_rows(std::int64_t estimated);

}  // namespace longshore
