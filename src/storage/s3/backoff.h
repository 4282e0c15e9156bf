#pragma once

#include <atomic>
#include <mutex>
#include <random>

#include "s3/options.h"

namespace longshore::s3 {

/// How long to wait before attempt `attempt` + 1: somewhere between nothing and first_wait doubled for each attempt, at
/// most longest_wait ("full jitter"); `unit` from [0, 1) says where.
Duration backoff_delay(const S3RetryOptions& options, int attempt, double unit);

/// Random numbers in [0, 1). Thread-safe.
class Jitter {
 public:
  Jitter();
  double next();

 private:
  std::mutex mutex_;
  std::minstd_rand random_;
};

/// What all calls together may spend on trying again, so that a store in trouble is not asked many times as often as
/// one that is well. Thread-safe.
class RetryBudget {
 public:
  /// Takes the price of one retry; false if there is not enough left.
  bool take();
  /// A call that succeeds gives back what its retries took, and a little if it needed none: a store that throttles is
  /// no store in trouble.
  void succeeded(int retries);

 private:
  static constexpr int kFull = 500;
  static constexpr int kPrice = 5;

  std::atomic<int> left_{kFull};
};

}  // namespace longshore::s3
