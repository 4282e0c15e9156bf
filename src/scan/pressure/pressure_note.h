#pragma once

#include <mutex>
#include <string>

namespace longshore {

/// What holds a scan up at the moment, for the status of its export: empty, `paced: why` or `paused: why`. Written by
/// the reader, read by the heartbeat. Thread-safe.
class PressureNote {
 public:
  void set(std::string text) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
  }
  void clear() { set({}); }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace longshore
