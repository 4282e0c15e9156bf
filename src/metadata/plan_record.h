#pragma once

#include <cstdint>
#include <span>

#include "metadata/job_store.h"
#include "metadata/sql.h"

/// How a plan comes into the tables, for save_plan() and save_snapshot_plan().
namespace longshore::plans {

/// Errors: `bad_plan` (internal) when the partitions are not in the order of their indexes.
Status check(const JobId& job, std::span<const Partition> partitions);
/// Stores the partitions, moves the job on and ends the claim. REQUIRES: the claim stands and is one of plan.
Status save(sql::Transaction& transaction, const Claim& claim, std::span<const Partition> partitions,
            std::int64_t part_size, std::int64_t estimated_rows);

}  // namespace longshore::plans
