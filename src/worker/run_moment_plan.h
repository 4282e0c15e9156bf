#pragma once

#include <stop_token>

#include "base/result.h"
#include "encode/encoder.h"
#include "scan/pressure/pressure_note.h"
#include "worker/rooms.h"

namespace longshore {

/// Plans an export of one moment of a source whose snapshots cannot be shared (SourceDatabase::reads_one_moment()): a
/// single partition without ends, which one session reads as of the moment in which it begins to. Errors as run_plan(),
/// and `snapshot_unsupported` (user) when the format cannot hold the rows in one partition.
Status run_moment_plan(const PlanWork& work, const Format& format, const WorkerRooms& rooms, PressureNote& pressure,
                       std::stop_token stop);

}  // namespace longshore
