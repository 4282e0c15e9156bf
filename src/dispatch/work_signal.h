#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace longshore {

/// A hint that there may be work. Losing or repeating one is harmless: who waits looks again after its polling interval
/// anyway, and the metadata store is the truth. Thread-safe.
class WorkSignal {
 public:
  virtual ~WorkSignal() = default;
  /// Tells waiting workers to look.
  virtual void announce() = 0;
  /// Returns at the next hint, after `at_most`, or when `stop` is requested. `seen` is the caller's own counter
  /// (start with 0): a hint that came since the last call returns at once.
  virtual void wait(std::uint64_t& seen, std::chrono::milliseconds at_most, std::stop_token stop) = 0;
};

/// Hints within one process.
class InProcessSignal final : public WorkSignal {
 public:
  void announce() override {
    {
      std::lock_guard lock(mutex_);
      ++announced_;
    }
    changed_.notify_all();
  }
  void wait(std::uint64_t& seen, std::chrono::milliseconds at_most, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, at_most, [&] { return announced_ != seen; });
    seen = announced_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t announced_ = 0;
};

}  // namespace longshore
