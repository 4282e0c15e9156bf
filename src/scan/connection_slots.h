#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace longshore {

/// A place among the connections that a source allows: whoever holds it may keep one open. Given back when destroyed.
/// Thread-safe.
class ConnectionPlace {
 public:
  virtual ~ConnectionPlace() = default;

  /// What a session on this place carries at the end of its name (`application_name`), so that others can find it
  /// when this process cannot be asked any more. Empty where the place is nobody else's concern.
  const std::string& tag() const { return tag_; }
  /// Requested when the place must not be used any more: a session on it is to be closed at once, whatever it does.
  virtual std::stop_token lost_signal() const { return {}; }
  /// The same by the clock, for a process that was asleep when it should have been told. To be asked before a session
  /// is opened.
  virtual bool lost() const { return false; }
  /// The last holder vanished, and nobody has made sure that its sessions did: they must be ended before a session of
  /// one's own does anything.
  virtual bool unproven() const { return false; }
  /// Somebody else waits for a place of the source: this one should not be kept for later.
  virtual bool wanted() const { return false; }
  /// A session on this place was ended without the server's word for it: the next holder must look.
  virtual void doubt() {}
  virtual bool doubted() const { return false; }

 protected:
  ConnectionPlace() = default;
  explicit ConnectionPlace(std::string tag) : tag_(std::move(tag)) {}

 private:
  std::string tag_;
};

/// A tag is `#` and six characters that name the place (together its *mark*), and six that count its holders and sort
/// as they do. So a session's name keeps 50 of its 63 bytes.
inline constexpr std::size_t kPlaceTagLength = 13;
inline constexpr std::size_t kPlaceMarkLength = 7;

/// A session that its user has left open on its place, see SessionPark.
class ParkedSession {
 public:
  virtual ~ParkedSession() = default;

 protected:
  ParkedSession() = default;
};

/// Owns a place, or none.
class ConnectionSlot {
 public:
  ConnectionSlot() = default;
  explicit ConnectionSlot(std::shared_ptr<ConnectionPlace> place) : place_(std::move(place)) {}
  explicit operator bool() const { return place_ != nullptr; }
  /// A session that was opened on the place shares it: the place is given back when both are gone.
  const std::shared_ptr<ConnectionPlace>& place() const { return place_; }
  bool lost() const { return place_ != nullptr && place_->lost(); }
  /// What is open on the place already, to be used or ended by whoever opens a session; nullptr: nothing.
  const std::shared_ptr<ParkedSession>& session() const { return session_; }
  void leave_open(std::shared_ptr<ParkedSession> session) { session_ = std::move(session); }

 private:
  std::shared_ptr<ConnectionPlace> place_;
  std::shared_ptr<ParkedSession> session_;
};

/// A place whose holder vanished.
struct SuspectPlace {
  int place = 0;
  std::int64_t epoch = 0;
  std::string tag;  ///< of its sessions
};

/// The connections that may be open to one source at a time (`Source::max_connections`). Thread-safe.
class ConnectionBudget {
 public:
  virtual ~ConnectionBudget() = default;
  /// Waits for a free place, first come, first served; not longer than `patience` if that is given. Slots may outlive
  /// the budget. Errors: `scan_stopped`; `source_busy` when patience ends.
  virtual Result<ConnectionSlot> acquire(std::stop_token stop, std::optional<Duration> patience) = 0;
  Result<ConnectionSlot> acquire(std::stop_token stop) { return acquire(std::move(stop), std::nullopt); }

  /// Places whose holders vanished and whose sessions somebody who has a place should end. Each is told to one caller
  /// in this process, and again a little later if nobody says that it was cleared.
  virtual std::vector<SuspectPlace> take_suspects() { return {}; }
  /// No session of these is left on any server.
  virtual void clear(const std::vector<SuspectPlace>& /*places*/) {}
};

/// The limit within this process. Slots may outlive the object that handed them out.
class ConnectionSlots final : public ConnectionBudget, public std::enable_shared_from_this<ConnectionSlots> {
 public:
  using Slot = ConnectionSlot;

  /// REQUIRES: is made as a shared_ptr.
  explicit ConnectionSlots(int count) : free_(count < 1 ? 1 : count) {}

  using ConnectionBudget::acquire;
  Result<ConnectionSlot> acquire(std::stop_token stop, std::optional<Duration> patience) override;

 private:
  class Place;
  void give_back();
  bool is_wanted() const;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::uint64_t> queue_;  ///< who waits, the longest first
  std::uint64_t next_ticket_ = 0;
  int free_;
};

}  // namespace longshore
