#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "base/result.h"
#include "worker/rooms.h"

namespace longshore {

struct SweepPolicy {
  std::string holder;  ///< who this sweeper is in the office of the sweeper, one of several processes'
  Duration lease = std::chrono::seconds{10};
  RetryPolicy retry;
  Duration interval = std::chrono::seconds{1};          ///< lost claims and due retention
  Duration orphan_interval = std::chrono::minutes{10};  ///< staged objects, uploads and copies that no job needs
  Duration orphan_age = std::chrono::hours{1};          ///< younger uploads are left alone
};

/// Puts right what died: frees the claims of silent workers, expires artefacts past their retention, and removes staged
/// objects, uploads and staged copies of rows that belong to no running job. Of all sweepers that share the metadata
/// one is at work: it holds the office. Every step is idempotent, so that two at a change of hands do no harm.
class Sweeper {
 public:
  Sweeper(const WorkerRooms& rooms, SweepPolicy policy);
  ~Sweeper();

  /// One round of what `interval` paces; announces work when there is new some.
  Status sweep();
  /// One round of what `orphan_interval` paces.
  Status sweep_orphans();
  /// Sweeps in a thread of its own until stop().
  void start();
  void stop();

 private:
  void run(const std::stop_token& stop);
  /// What concerns the sources, which may be away or busy: lost claims do not wait for it.
  void run_copies(const std::stop_token& stop);
  bool in_office();

  const WorkerRooms& rooms_;
  const SweepPolicy policy_;
  std::atomic<bool> in_office_{false};
  std::jthread thread_;
  std::jthread copies_thread_;
};

}  // namespace longshore
