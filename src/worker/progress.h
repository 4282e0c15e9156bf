#pragma once

#include <atomic>
#include <cstdint>

namespace longshore {

/// How far a partition has come; written by the slot that runs it, read by the heartbeat.
struct LiveProgress {
  std::atomic<std::int64_t> rows{0};
  std::atomic<std::int64_t> bytes{0};
};

}  // namespace longshore
