#pragma once

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

/// Cuts a job into partitions, begins its upload and records both. Errors: those of source, store and queue; nothing is
/// left behind that a repetition or the cleaning of the job would not find.
Status run_plan(const PlanWork& work, const WorkerRooms& rooms, std::stop_token stop);

}  // namespace longshore
