#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace longshore {

/// The bytes that all partitions of a process may hold together. Reserved before a partition starts, given back by the
/// reservation's destructor. Thread-safe.
class MemoryBudget {
 public:
  class Reservation {
   public:
    Reservation() = default;
    Reservation(MemoryBudget& budget, std::int64_t bytes) : budget_(&budget), bytes_(bytes) {}
    ~Reservation() { release(); }
    Reservation(Reservation&& other) noexcept : budget_(other.budget_), bytes_(other.bytes_) {
      other.budget_ = nullptr;
    }
    Reservation& operator=(Reservation&&) = delete;
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    void release();
    MemoryBudget* budget_ = nullptr;
    std::int64_t bytes_ = 0;
  };

  explicit MemoryBudget(std::int64_t limit) : limit_(limit) {}

  /// Waits until `bytes` fit. One reservation larger than the whole budget is granted when nothing else is held, so a
  /// huge part size slows a process down instead of stopping it. Returns an empty reservation when `stop` comes first.
  Reservation reserve(std::int64_t bytes, std::stop_token stop);
  std::int64_t held() const;

 private:
  void give_back(std::int64_t bytes);

  const std::int64_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::int64_t held_ = 0;
};

}  // namespace longshore
