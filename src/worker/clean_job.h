#pragma once

#include <stop_token>

#include "base/result.h"
#include "worker/rooms.h"

namespace longshore {

/// Removes what a job in a final state left in the store: its uploads, its staged heads and, unless it succeeded, its
/// artefact and manifest; and the copies of its rows that are staged on its source. Idempotent.
/// What a busy or unreachable source keeps of the latter is left to sweep_copies().
Status clean_job(const CleanWork& work, const WorkerRooms& rooms, std::stop_token stop);

/// Removes all staged objects of a job.
Status remove_staged(const JobId& job, ObjectStore& store);

}  // namespace longshore
