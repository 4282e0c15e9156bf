#include "metadata/postgres/postgres_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

namespace longshore::sql {

PostgresPool::PostgresPool(PostgresConnection::Target target, Limits limits)
    : target_(std::move(target)), limits_(limits) {
  on_hurry_.emplace(target_.hurry, [this] {
    // Whoever has looked already waits by then, and is woken.
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
}

PostgresPool::~PostgresPool() = default;

Error PostgresPool::busy() const {
  return external_error(
      kUnavailable,
      fmt::format("the metadata store {} is busy: all {} connections of this process were in use for longer than {} s",
                  target_.where, limits_.connections, limits_.busy_timeout.count() / 1'000'000));
}

Result<std::unique_ptr<PostgresConnection>> PostgresPool::acquire(Duration patience) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, limits_.busy_timeout, [this] { return lent_ < limits_.connections; })) {
    return fail(busy());
  }
  ++lent_;
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    // The server may have ended it while it lay here; that costs one system call to see, and a failed transaction to
    // miss.
    if (connection->alive()) return connection;
  }
  auto connected = connect(lock, std::chrono::steady_clock::now() + patience);
  if (!connected) {
    --lent_;
    lock.unlock();
    changed_.notify_all();
  }
  return connected;
}

Result<std::unique_ptr<PostgresConnection>> PostgresPool::connect(std::unique_lock<std::mutex>& lock,
                                                                  SteadyTime until) {
  while (true) {
    const bool hurry = target_.hurry.stop_requested();
    if (hurry && away_) return fail(*away_);
    const auto now = std::chrono::steady_clock::now();
    if (!away_ || (!trying_ && now >= next_try_)) {
      const bool probing = away_.has_value();
      if (probing) trying_ = true;
      lock.unlock();
      auto opened = PostgresConnection::open(target_);
      lock.lock();
      if (probing) trying_ = false;
      if (opened) {
        away_.reset();
        failures_ = 0;
      } else {
        note_failure(opened.error());
      }
      changed_.notify_all();
      if (opened) return opened;
    }
    if (hurry || std::chrono::steady_clock::now() >= until) return fail(*away_);
    // Until somebody has news, or it is time to look for it.
    changed_.wait_until(lock, trying_ ? until : std::min(until, next_try_));
  }
}

void PostgresPool::note_failure(const Error& error) {
  // 50, 100, … at most 800 ms apart, each somewhat shorter so that nodes do not keep in step.
  thread_local std::minstd_rand random(std::random_device{}());
  const int longest = 50 << std::min(failures_++, 4);
  away_ = error;
  next_try_ = std::chrono::steady_clock::now() +
              std::chrono::milliseconds(std::uniform_int_distribution<>(longest / 2, longest)(random));
}

void PostgresPool::release(std::unique_ptr<PostgresConnection> connection) {
  std::vector<std::unique_ptr<PostgresConnection>> doomed;  // closed outside of the lock
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (!connection->usable()) {
      doomed.swap(idle_);
      if (target_.hurry.stop_requested() && !away_) {
        away_ = external_error(kUnavailable,
                               fmt::format("the metadata store {} is silent, and this process ends", target_.where));
      }
    } else if (static_cast<int>(idle_.size()) < limits_.idle) {
      idle_.push_back(std::move(connection));
    }
  }
  changed_.notify_all();
}

}  // namespace longshore::sql
