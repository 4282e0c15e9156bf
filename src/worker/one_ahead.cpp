#include "worker/one_ahead.h"

#include <utility>

namespace longshore {

OneAhead::~OneAhead() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Status OneAhead::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !piece_; });
  return outcome_;
}

void OneAhead::submit(Piece piece) {
  {
    std::lock_guard lock(mutex_);
    piece_ = std::move(piece);
  }
  changed_.notify_all();
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void OneAhead::run(const std::stop_token& stop) {
  for (;;) {
    std::unique_lock lock(mutex_);
    // A piece that was submitted is done even when stop comes first: it may be the only owner of its bytes.
    changed_.wait(lock, stop, [&] { return piece_.has_value(); });
    if (!piece_) return;
    lock.unlock();
    Status outcome = (*piece_)();
    lock.lock();
    outcome_ = std::move(outcome);
    piece_.reset();
    lock.unlock();
    changed_.notify_all();
  }
}

}  // namespace longshore
