#include "jobs/queue_positions.h"

#include <utility>
#include <vector>

namespace longshore {

std::optional<int> QueuePositions::find(const Head& head, const JobId& id) {
  if (const auto found = head.find(id); found != head.end()) return found->second;
  if (head.size() >= static_cast<std::size_t>(kMostQueuePosition)) return kMostQueuePosition;
  return std::nullopt;
}

Result<std::optional<int>> QueuePositions::position_of(const JobId& id) {
  {
    const std::lock_guard lock(mutex_);
    if (asked_at_ && std::chrono::steady_clock::now() - *asked_at_ < keep_) {
      // One that is missing in a short queue came after it was asked for.
      if (const auto known = find(head_, id)) return known;
    }
  }
  const auto asked_at = std::chrono::steady_clock::now();
  TRY(const std::vector<JobId> oldest, jobs_.queue_head());
  Head head;
  for (const JobId& job : oldest) head.emplace(job, static_cast<int>(head.size()) + 1);
  const std::optional<int> position = find(head, id);
  const std::lock_guard lock(mutex_);
  head_ = std::move(head);
  asked_at_ = asked_at;
  return position;
}

}  // namespace longshore
