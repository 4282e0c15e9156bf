#include "scan/connection_slots.h"

#include <algorithm>

#include "scan/scan_errors.h"

namespace longshore {

class ConnectionSlots::Place final : public ConnectionPlace {
 public:
  explicit Place(std::shared_ptr<ConnectionSlots> owner) : owner_(std::move(owner)) {}
  ~Place() override { owner_->give_back(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool wanted() const override { return owner_->is_wanted(); }

 private:
  std::shared_ptr<ConnectionSlots> owner_;
};

Result<ConnectionSlot> ConnectionSlots::acquire(std::stop_token stop, std::optional<Duration> patience) {
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = next_ticket_++;
  queue_.push_back(ticket);
  const auto my_turn = [&] { return free_ > 0 && queue_.front() == ticket; };
  const bool got = patience ? changed_.wait_for(lock, stop, *patience, my_turn) : changed_.wait(lock, stop, my_turn);
  queue_.erase(std::ranges::find(queue_, ticket));
  if (got) --free_;
  lock.unlock();
  // The one behind may be free to go as well.
  changed_.notify_all();
  if (got) return ConnectionSlot(std::make_shared<Place>(shared_from_this()));
  return fail(stop.stop_requested() ? scan_stopped() : source_busy());
}

bool ConnectionSlots::is_wanted() const {
  const std::lock_guard lock(mutex_);
  return !queue_.empty();
}

void ConnectionSlots::give_back() {
  {
    const std::lock_guard lock(mutex_);
    ++free_;
  }
  changed_.notify_all();
}

}  // namespace longshore
