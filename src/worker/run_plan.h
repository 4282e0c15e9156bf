#pragma once

#include <stop_token>

#include "base/result.h"
#include "worker/rooms.h"

namespace longshore {

/// Cuts a job into partitions, begins its upload and records both. Errors: those of source, store and queue; nothing is
/// left behind that a repetition or the cleaning of the job would not find.
Status run_plan(const PlanWork& work, const WorkerRooms& rooms, std::stop_token stop);

}  // namespace longshore
