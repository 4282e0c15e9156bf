#include "base/memory_budget.h"

namespace longshore {

MemoryBudget::Reservation MemoryBudget::reserve(std::int64_t bytes, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [&] { return held_ == 0 || held_ + bytes <= limit_; })) return {};
  held_ += bytes;
  return {*this, bytes};
}

std::int64_t MemoryBudget::held() const {
  std::lock_guard lock(mutex_);
  return held_;
}

void MemoryBudget::give_back(std::int64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    held_ -= bytes;
  }
  changed_.notify_all();
}

void MemoryBudget::Reservation::release() {
  if (budget_ != nullptr) budget_->give_back(bytes_);
  budget_ = nullptr;
}

}  // namespace longshore
