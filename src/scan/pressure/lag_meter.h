#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.h"

namespace longshore {

/// What one poll of a server saw of replication. Positions are bytes of the log.
struct LogPositions {
  std::int64_t received = 0;  ///< what there is to be applied, as far as the server knows
  std::int64_t applied = 0;   ///< what can be read
  bool fed = true;            ///< it is told of new log; else `received` says nothing of now
  std::optional<Duration> replay_age =
      std::nullopt;  ///< since the commit that was applied last, by the servers' clocks
};

struct Lag {
  std::optional<Duration> value;  ///< nullopt: nothing is known
  bool measured = true;           ///< false: taken from `replay_age`, which also grows while the primary is idle
};

/// How far a server is behind, from positions in the log over time: all that had been received when the poll of time T
/// was made is applied now, so what is read is not older than T. Needs no clock but the caller's, and an idle primary
/// is no lag. As fine as the polls. Not thread-safe.
///
/// Until a position that this meter saw arrive has been applied, the age of the last replayed commit serves.
class LagMeter {
 public:
  Lag add(std::chrono::steady_clock::time_point now, const LogPositions& seen);
  /// After a gap in the polls, which would look like lag.
  void forget() { received_.clear(); }

 private:
  struct Received {
    std::chrono::steady_clock::time_point when;
    std::int64_t position = 0;
  };
  std::deque<Received> received_;  ///< rising; the first is the last one that is applied, if any is
};

}  // namespace longshore
