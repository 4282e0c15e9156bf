#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/job.h"

namespace longshore {

/// One state of a source that others keep in sight, for whoever is to read it.
struct PinnedSnapshot {
  std::string server;  ///< `host:port/dbname`; it is nowhere else
  /// The names under which it can be imported now; they change as keepers come and go. None: there is no keeper now.
  std::function<Result<std::vector<std::string>>()> importable;
};

}  // namespace longshore
