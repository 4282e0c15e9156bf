#pragma once

#include <string_view>

/// The statements that are polled: the first two by every slot of every worker, the last by every process. They read
/// partial indexes only, which hold active rows and not the many finished ones.
namespace longshore::claims {

/// Whether anything can be claimed now: one row if so.
std::string_view any_candidate();

/// What can be claimed now, best first: `job_id` and `kind` (the purposes of claim_guard.h).
///
/// Order: the tenant with the fewest claims, then who waits longest. What a cancelled, failed or finished export left
/// in the store goes first, for it is short work that frees space; files past their retention queue by when they fell
/// due, so that thousands which expire at once do not hold up a new export.
std::string_view best_candidates();

/// All claims of workers that are not alive, however that came about: `worker_id`, `job_id`, `partition_index`,
/// `epoch`.
std::string_view claims_of_the_dead();

}  // namespace longshore::claims
