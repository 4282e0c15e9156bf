#pragma once

#include <string>

#include "base/clock.h"
#include "model/ids.h"

namespace longshore {

/// Who was handed a link to which artefact, when.
struct DownloadAudit {
  std::string id;  ///< a UUID
  JobId job;
  UserId actor;
  TenantId tenant;
  std::string client_ip;  ///< at most 45 characters
  std::string user_agent;
  Timestamp at;
};

}  // namespace longshore
