#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "scan/connection_slots.h"

namespace longshore {

/// Keeps sessions open between two uses: a small export asks three short things of a database, and a session that has
/// just been opened costs the server more than any of them. A parked session keeps its place, so it waits only a short
/// while for its next user, and not at all while somebody else waits for a place. Thread-safe.
class SessionPark {
 public:
  explicit SessionPark(Duration longest = std::chrono::seconds{1}) : longest_(longest) {}
  SessionPark(const SessionPark&) = delete;
  SessionPark& operator=(const SessionPark&) = delete;

  /// REQUIRES: the slot has a place and a session.
  void park(ConnectionSlot slot);
  /// The one that was parked last; none: an empty slot.
  ConnectionSlot take();

 private:
  struct Parked {
    ConnectionSlot slot;
    std::chrono::steady_clock::time_point since;
  };
  void run(const std::stop_token& stop);

  const Duration longest_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Parked> parked_;  ///< at most as many as there are places; the longest first
  std::jthread thread_;  ///< ends what waits too long; started by the first; the last member, so that it ends first
};

}  // namespace longshore
