#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>

#include "base/result.h"

namespace longshore {

/// The connections that may be open to one source at a time (`Source::max_connections`). A slot is given back when it
/// is destroyed. Thread-safe; slots may outlive the object that handed them out.
class ConnectionSlots : public std::enable_shared_from_this<ConnectionSlots> {
 public:
  class Slot {
   public:
    Slot() = default;
    explicit Slot(std::shared_ptr<ConnectionSlots> owner) : owner_(std::move(owner)) {}
    ~Slot() { release(); }
    Slot(Slot&& other) noexcept = default;
    Slot& operator=(Slot&& other) noexcept {
      release();
      owner_ = std::move(other.owner_);
      return *this;
    }
    explicit operator bool() const { return owner_ != nullptr; }

   private:
    void release();
    std::shared_ptr<ConnectionSlots> owner_;
  };

  explicit ConnectionSlots(int count) : free_(count < 1 ? 1 : count) {}

  /// Waits for a free slot. Errors: `scan_stopped`.
  Result<Slot> acquire(std::stop_token stop);

 private:
  void give_back();

  std::mutex mutex_;
  std::condition_variable_any changed_;
  int free_;
};

}  // namespace longshore
