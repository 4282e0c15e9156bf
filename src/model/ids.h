#pragma once

#include "base/strong_id.h"

namespace longshore {

using JobId = StrongId<struct JobIdTag>;        ///< a UUID (version 7); the API shows it as `exp_` + it
using TenantId = StrongId<struct TenantIdTag>;  ///< at most 64 characters
using UserId = StrongId<struct UserIdTag>;      ///< at most 128 characters
using WorkerId = StrongId<struct WorkerIdTag>;  ///< `host-pid-random`; new at every start, so never reused

}  // namespace longshore
