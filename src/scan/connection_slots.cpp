#include "scan/connection_slots.h"

#include "scan/scan_errors.h"

namespace longshore {

void ConnectionSlots::Slot::release() {
  if (owner_ != nullptr) owner_->give_back();
  owner_.reset();
}

Result<ConnectionSlots::Slot> ConnectionSlots::acquire(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [this] { return free_ > 0; })) return fail(scan_stopped());
  --free_;
  return Slot(shared_from_this());
}

void ConnectionSlots::give_back() {
  {
    const std::lock_guard lock(mutex_);
    ++free_;
  }
  changed_.notify_one();
}

}  // namespace longshore
