#pragma once

#include <stop_token>

#include "base/result.h"
#include "encode/encoder.h"
#include "worker/rooms.h"

namespace longshore {

/// Plans an export that reads a copy of its rows: has the copy made, or finds the one that an attempt before made, and
/// plans by it. One copy is made at a time on each source; does nothing but end the claim while another one is.
/// `pressure` is told what is waited for. Errors as run_plan(), and `materialized_unsupported` (user).
Status run_materialized_plan(const PlanWork& work, const Format& format, const WorkerRooms& rooms,
                             PressureNote& pressure, std::stop_token stop);

}  // namespace longshore
