#pragma once

#include <stop_token>

#include "base/result.h"
#include "encode/encoder.h"
#include "worker/rooms.h"
#include "worker/snapshot_keepers.h"

namespace longshore {

/// Plans an export that reads one state of its source: takes the snapshot, plans inside of it, and hands it to
/// `keepers` once the plan is recorded. Does nothing but end the claim when the source has no place for another
/// snapshot now. Errors as run_plan().
Status run_snapshot_plan(const PlanWork& work, const Format& format, const WorkerRooms& rooms, SnapshotKeepers& keepers,
                         PressureNote& pressure, std::stop_token stop);

/// Removes what the attempts before a lost snapshot left: their upload and their staged heads. Whatever slips by (a
/// worker that has not noticed yet) goes when the job is cleaned.
Status remove_stale(const ExportJob& job, ObjectStore& store);

}  // namespace longshore
