#include "scan/pressure/lag_meter.h"

namespace longshore {

namespace {

/// More than an hour of seconds; then every second sample must do.
constexpr std::size_t kMostSamples = 4096;

}  // namespace

Lag LagMeter::add(std::chrono::steady_clock::time_point now, const LogPositions& seen) {
  if (seen.fed) {
    // Another server was promoted or restored: what was seen before is of another log.
    while (!received_.empty() && received_.back().position > seen.received) received_.pop_back();
    if (!received_.empty() && received_.back().position == seen.received) {
      received_.back().when = now;
    } else {
      received_.push_back({now, seen.received});
    }
  }
  while (received_.size() > 1 && received_[1].position <= seen.applied) received_.pop_front();
  if (received_.size() > kMostSamples) {
    std::deque<Received> thinned;
    for (std::size_t i = 0; i < received_.size(); i += 2) thinned.push_back(received_[i]);
    received_ = std::move(thinned);
  }
  if (!received_.empty() && received_.front().position <= seen.applied) {
    return {.value = std::chrono::duration_cast<Duration>(now - received_.front().when), .measured = true};
  }
  return {.value = seen.replay_age, .measured = false};
}

}  // namespace longshore
