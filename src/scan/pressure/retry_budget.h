#pragma once

#include <algorithm>
#include <cstdint>

namespace longshore {

/// How often a scan may begin again after failures that pass: a number of attempts, given back by progress, so that a
/// long scan outlives any number of incidents and one that gets nowhere ends. Not thread-safe.
class RetryBudget {
 public:
  /// One attempt is earned by `rows_for_one` rows, up to `most`.
  RetryBudget(int most, std::int64_t rows_for_one) : most_(most), left_(most), rows_for_one_(rows_for_one) {}

  /// False: there is none left.
  bool spend() {
    if (left_ == 0) return false;
    --left_;
    return true;
  }
  void earn(std::int64_t rows) {
    rows_ += rows;
    left_ = static_cast<int>(std::min<std::int64_t>(most_, left_ + rows_ / rows_for_one_));
    rows_ %= rows_for_one_;
  }
  int left() const { return left_; }

 private:
  int most_;
  int left_;
  std::int64_t rows_for_one_;
  std::int64_t rows_ = 0;
};

}  // namespace longshore
