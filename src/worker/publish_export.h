#pragma once

#include <stop_token>

#include "base/result.h"
#include "worker/part_cutter.h"
#include "worker/rooms.h"

namespace longshore {

/// Assembles a job whose partitions are all completed, writes the manifest and publishes. May be repeated after any
/// failure: it goes on after the last glued part.
Status publish_export(const AssembleWork& work, const WorkerRooms& rooms, std::stop_token stop);

/// Publishes a job whose only partition is smaller than kMinPartBytes: the file is written whole, with nothing staged.
/// `rest`: all rows of the partition; nullptr when there are none.
Status publish_small_export(const PartitionWork& work, const WorkerRooms& rooms, const CutPart* rest);

}  // namespace longshore
