#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/result.h"
#include "metadata/job_store.h"

namespace longshore {

/// Where queued exports stand in the queue, as it was at most `keep` ago: one question to the metadata store serves all
/// status reads of that time, so a long queue with many who wait costs no more than a short one. Thread-safe.
class QueuePositions {
 public:
  /// `jobs` outlives it.
  explicit QueuePositions(JobStore& jobs, std::chrono::milliseconds keep = std::chrono::milliseconds{500})
      : jobs_(jobs), keep_(keep) {}

  /// Of an export that is queued: 1 is the oldest, kMostQueuePosition stands for it and all beyond; nullopt when it has
  /// left the queue meanwhile. Errors: those of the store.
  Result<std::optional<int>> position_of(const JobId& id);

 private:
  using Head = std::unordered_map<JobId, int>;
  static std::optional<int> find(const Head& head, const JobId& id);

  JobStore& jobs_;
  const std::chrono::milliseconds keep_;
  std::mutex mutex_;
  Head head_;
  std::optional<std::chrono::steady_clock::time_point> asked_at_;
};

}  // namespace longshore
