#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace longshore {

/// The scans of a source that lag holds up, for metrics and the log: one line when the first is held, one when all go
/// on. Thread-safe.
class HeldScans {
 public:
  explicit HeldScans(std::string source) : source_(std::move(source)) {}

  /// While it lives, a scan is held up.
  class Hold {
   public:
    Hold(HeldScans& scans, const std::string& why);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    void passed(Duration time) { scans_.micros_ += time.count(); }

   private:
    HeldScans& scans_;
  };

  int now() const { return now_; }
  double seconds() const { return static_cast<double>(micros_) / 1e6; }

 private:
  const std::string source_;
  std::atomic<int> now_{0};
  std::atomic<std::int64_t> micros_{0};
};

}  // namespace longshore
