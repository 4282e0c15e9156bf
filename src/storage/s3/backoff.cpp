#include "s3/backoff.h"

#include <algorithm>
#include <cstring>

#include "base/random.h"

namespace longshore::s3 {

Duration backoff_delay(const S3RetryOptions& options, int attempt, double unit) {
  Duration bound = options.first_wait;
  for (int i = 1; i < attempt && bound < options.longest_wait; ++i) bound *= 2;
  bound = std::min(bound, options.longest_wait);
  return Duration{static_cast<Duration::rep>(static_cast<double>(bound.count()) * unit)};
}

Jitter::Jitter() {
  std::uint32_t seed = 0;
  std::memcpy(&seed, random_bytes(sizeof seed).data(), sizeof seed);
  random_.seed(seed);
}

double Jitter::next() {
  const std::lock_guard lock(mutex_);
  return std::uniform_real_distribution<double>(0, 1)(random_);
}

bool RetryBudget::take() {
  int left = left_.load(std::memory_order_relaxed);
  while (left >= kPrice) {
    if (left_.compare_exchange_weak(left, left - kPrice, std::memory_order_relaxed)) return true;
  }
  return false;
}

void RetryBudget::succeeded(int retries) {
  const int back = retries > 0 ? retries * kPrice : 1;
  int left = left_.load(std::memory_order_relaxed);
  while (left < kFull && !left_.compare_exchange_weak(left, std::min(kFull, left + back), std::memory_order_relaxed)) {
  }
}

}  // namespace longshore::s3
