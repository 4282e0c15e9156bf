#pragma once

#include <stop_token>

#include "base/result.h"
#include "model/job.h"
#include "worker/rooms.h"

namespace longshore {

/// Drops the copies of a materialized export's rows that are staged on its source; `before`: only those of earlier
/// attempts.
/// Idempotent. Does nothing for other exports, nor (with a warning) where the catalog names no such place any more.
Status drop_copies(const ExportJob& job, const WorkerRooms& rooms, std::stop_token stop,
                   std::optional<int> before = {});

/// Drops the copies that no running export needs, on all sources: what a planner made that lost its claim, stood still,
/// and came back when its export had been cleaned. Never one that another deployment made.
Status sweep_copies(const WorkerRooms& rooms, std::stop_token stop);

}  // namespace longshore
