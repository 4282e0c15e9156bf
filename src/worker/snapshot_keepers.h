#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "metadata/snapshot_store.h"
#include "scan/row_source.h"
#include "worker/rooms.h"

namespace longshore {

/// The snapshots that a worker keeps in sight for all that read them: a light thread for each beside the slots, and one
/// that looks for vacant seats and for those that are needed no longer.
///
/// What the metadata store says of seats is the truth; a session that belongs to no seat is closed, and a seat without
/// a session (the answer to a claim was lost) is left to others.
class SnapshotKeepers {
 public:
  /// `worker`: the id that the worker has now. REQUIRES: `rooms` outlives the object.
  SnapshotKeepers(const WorkerRooms& rooms, std::function<WorkerId()> worker, Duration poll);
  ~SnapshotKeepers();

  void start();
  /// Gives others a moment to have what only this worker keeps, and takes no more seats. To be called before the
  /// worker retires.
  void hand_over();
  /// Closes all sessions. Idempotent.
  void stop();

  /// While it lives, seats of the job are not taken for ones without a session.
  class Planning {
   public:
    Planning(SnapshotKeepers& keepers, JobId job);
    ~Planning();
    Planning(const Planning&) = delete;
    Planning& operator=(const Planning&) = delete;
    /// The plan is recorded: keeps its snapshot in this seat from now on.
    void keep(const KeeperClaim& claim, std::unique_ptr<KeptSnapshot> snapshot);

   private:
    SnapshotKeepers& keepers_;
    const JobId job_;
  };

 private:
  struct Kept {
    KeeperClaim claim;
    bool over = false;    ///< its thread has ended, or is about to
    std::jthread thread;  ///< last: it ends before the rest goes
  };

  void run(const std::stop_token& stop);
  /// Compares what is kept with what is to be kept.
  void reconcile();
  void take_seat();
  void add(const KeeperClaim& claim, std::function<Status(const std::stop_token&)> keep);
  /// Keeps until it is stopped, or the snapshot is gone.
  Status keep_alive(KeptSnapshot& snapshot, const std::stop_token& stop);
  Status import_and_keep(const KeeperWork& work, const std::stop_token& stop);
  /// Tells the store that the seat is vacant, and goes on trying while the store is away.
  void leave(const KeeperClaim& claim, const std::string& why, const std::stop_token& stop);

  const WorkerRooms& rooms_;
  const std::function<WorkerId()> worker_;
  const Duration poll_;

  std::mutex mutex_;
  std::list<Kept> kept_;
  std::multiset<JobId> planning_;
  std::jthread thread_;
};

}  // namespace longshore
