#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "worker/progress.h"
#include "worker/rooms.h"
#include "worker/snapshot_keepers.h"

namespace longshore {

struct WorkerOptions {
  std::string host;
  int slots = 2;  ///< pieces of work done at once, one thread each
  Duration heartbeat = std::chrono::seconds{1};
  Duration lease = std::chrono::seconds{10};  ///< silence after which claims count as lost
  Duration poll = std::chrono::milliseconds{500};
  RetryPolicy retry;
};

/// Claims work and does it, until stop(). Each slot is one thread that takes a piece of work to its end; one more
/// thread renews the leases of all of them.
///
/// Fencing: a claim that the heartbeat reports as lost is stopped at once; when no heartbeat has succeeded for a
/// lease's length the worker stops all its work by itself, because somebody else may own it by now. A thread of its own
/// watches over that, since a heartbeat over a cut link may take longer than the lease to fail.
class Worker {
 public:
  Worker(const WorkerRooms& rooms, WorkerOptions options);
  ~Worker();

  /// Registers the worker and starts its threads. Errors: `metadata_unavailable`.
  Status start();
  /// Stops claiming, lets work stop at its next border, hands claims back and forgets the worker. Idempotent.
  void stop();

  WorkerId id() const;

 private:
  /// A piece of work in hand.
  struct Active {
    explicit Active(Claim active_claim) : claim(std::move(active_claim)) {}
    Claim claim;
    LiveProgress progress;
    std::stop_source stop;
    std::atomic<bool> lost{false};
  };

  void run_slot(const std::stop_token& stop);
  void run_heartbeat(const std::stop_token& stop);
  void run_watch(const std::stop_token& stop);
  void do_work(const Work& work, const std::stop_token& stop);
  Status perform(const Work& work, Active& active);
  void end_failed(const Work& work, const Active& active, const Error& error, bool stopping);
  void beat();
  void lose_all(const char* why);
  Status register_anew();

  const WorkerRooms& rooms_;
  const WorkerOptions options_;

  mutable std::mutex mutex_;
  WorkerId id_;
  std::list<std::shared_ptr<Active>> active_;
  std::chrono::steady_clock::time_point last_beat_;

  SnapshotKeepers keepers_;
  std::jthread heartbeat_;
  std::jthread watch_;
  std::vector<std::jthread> slots_;
};

}  // namespace longshore
