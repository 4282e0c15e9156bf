#pragma once

#include <optional>
#include <string>
#include <vector>

namespace longshore {

/// How a server of a source was at its last poll.
struct ServerHealth {
  std::string name;           ///< `host:port/dbname`
  bool up = true;             ///< it answers
  std::optional<double> lag;  ///< seconds; nullopt: not known
};

/// How a source fares with this process's reading, for metrics.
struct SourceHealth {
  std::vector<ServerHealth> servers;  ///< those that were polled; none while nobody reads
  int paused_scans = 0;               ///< held up by lag now
  double paused_seconds = 0;          ///< all the time that scans were held up so, summed over the scans
};

}  // namespace longshore
