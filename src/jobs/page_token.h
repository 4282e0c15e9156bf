#pragma once

#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "model/ids.h"

namespace longshore {

/// An opaque token that continues a list after this job.
std::string make_page_token(Timestamp created_at, const JobId& id);
/// Errors: `malformed_request` when it is no token of ours.
Result<std::pair<Timestamp, JobId>> read_page_token(const std::string& token);

}  // namespace longshore
