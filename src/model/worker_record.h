#pragma once

#include <string>

#include "base/clock.h"
#include "model/ids.h"

namespace longshore {

/// A process that makes files, as the metadata store knows it.
struct WorkerRecord {
  WorkerId id;
  std::string host;
  int pid = 0;
  Timestamp started_at;
  Timestamp heartbeat_at;
  bool alive = false;  ///< heard of within a lease
  int claims = 0;      ///< pieces of work that it holds
};

}  // namespace longshore
