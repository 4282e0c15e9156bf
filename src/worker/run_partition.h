#pragma once

#include <stop_token>

#include "base/result.h"
#include "worker/progress.h"
#include "worker/rooms.h"

namespace longshore {

/// Reads, encodes and uploads one partition from its last checkpoint on, and completes it. The way of an export.
///
/// Errors: those of source, encoder, store and queue; `claim_lost` means that somebody else owns the partition now.
/// Whatever was checkpointed stays; a repetition goes on from there.
Status run_partition(const PartitionWork& work, const WorkerRooms& rooms, LiveProgress& progress, std::stop_token stop);

/// Bytes to reserve from the budget before run_partition: the cutter's buffer, a batch, what a database client holds
/// and `encoder_memory`, see FormatTraits.
std::int64_t partition_memory(std::int64_t part_size, std::int64_t encoder_memory);

}  // namespace longshore
