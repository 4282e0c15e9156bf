#pragma once

#include <optional>
#include <stop_token>

#include "base/result.h"
#include "encode/encoder.h"
#include "plan/export_plan.h"
#include "worker/rooms.h"

namespace longshore {

/// How exports in a format are cut. The partitions of a workbook are whole sheets, so that the number of every row is
/// known when it is written, whatever happens to the partitions before it; many columns make smaller ones, because a
/// sheet's XML must stay below 4 GiB.
FormatRules plan_rules(const FormatTraits& format, std::size_t columns);

class SnapshotKeepers;

/// Cuts a job into partitions, begins its upload and records both. Errors: those of source, store and queue; nothing is
/// left behind that a repetition or the cleaning of the job would not find. `keepers`: who keeps the snapshot of an
/// export that reads one. `pressure` is told what holds the planning up.
Status run_plan(const PlanWork& work, const WorkerRooms& rooms, SnapshotKeepers& keepers, PressureNote& pressure,
                std::stop_token stop);

/// Begins the job's upload, if it has none yet, and records the plan of an export that is to be of one moment: of
/// `snapshot`, if it is known by now, with `seats` for those who keep it. The keeper's claim on the first seat. Errors:
/// those of store and SnapshotStore::save_snapshot_plan().
Result<std::optional<KeeperClaim>> save_moment_plan(const PlanWork& work, const WorkerRooms& rooms,
                                                    ExportSnapshot snapshot, ExportPlan plan, int seats);

}  // namespace longshore
