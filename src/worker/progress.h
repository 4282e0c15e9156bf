#pragma once

#include <atomic>
#include <cstdint>

#include "scan/pressure/pressure_note.h"

namespace longshore {

/// How far a partition has come; written by the slot that runs it, read by the heartbeat.
struct LiveProgress {
  std::atomic<std::int64_t> rows{0};
  std::atomic<std::int64_t> bytes{0};
  PressureNote pressure;  ///< what holds the reading up
};

}  // namespace longshore
