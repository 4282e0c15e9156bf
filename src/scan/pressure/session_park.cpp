#include "scan/pressure/session_park.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace longshore {

namespace {

/// How soon a place goes to somebody who waits for it: as fast as a place is asked for in the metadata store.
constexpr Duration kLook = std::chrono::milliseconds{50};

}  // namespace

void SessionPark::park(ConnectionSlot slot) {
  const std::lock_guard lock(mutex_);
  parked_.push_back({std::move(slot), std::chrono::steady_clock::now()});
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  changed_.notify_all();
}

ConnectionSlot SessionPark::take() {
  while (true) {
    ConnectionSlot slot;
    {
      const std::lock_guard lock(mutex_);
      if (parked_.empty()) return {};
      slot = std::move(parked_.back().slot);
      parked_.pop_back();
    }
    if (!slot.lost()) return slot;
  }
}

void SessionPark::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !parked_.empty(); }) && !stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    const auto stays = [&](const Parked& parked) {
      return now - parked.since < longest_ && !parked.slot.lost() && !parked.slot.place()->wanted();
    };
    const auto gone = std::ranges::stable_partition(parked_, stays);
    std::vector<Parked> ended(std::make_move_iterator(gone.begin()), std::make_move_iterator(gone.end()));
    parked_.erase(gone.begin(), gone.end());
    lock.unlock();
    ended.clear();  // waits until the server has closed them
    lock.lock();
    changed_.wait_for(lock, stop, kLook, [] { return false; });
    if (stop.stop_requested()) return;  // who has sessions parked must not keep the destructor waiting
  }
}

}  // namespace longshore
