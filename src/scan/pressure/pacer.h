#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/time_zone.h"
#include "model/dataset.h"

namespace longshore {

/// Which rule holds when. Not thread-safe.
class PacingSchedule {
 public:
  /// Errors: `unknown_time_zone`.
  static Result<PacingSchedule> make(const Pacing& pacing);
  /// The first window that `now` lies in decides, else the rule outside of all.
  const PacingRule& rule_at(Timestamp now);

 private:
  struct Window {
    PacingWindow settings;
    LocalTime local;
  };
  PacingRule rule_;
  std::vector<Window> windows_;
};

/// Lets the scans of a source use no more than a share of one connection's time, in this process: a statement that
/// kept the server busy for 10 ms is followed by none for 90 ms when the share is a tenth. The scans take turns.
///
/// The share adapts between the rule's `least_duty`, where it begins, and `duty`: it shrinks by a third when a
/// statement took more than twice as long as such statements can, and grows by a tenth when it took hardly longer. A
/// server that has other work to do answers unevenly, one that is idle does not. A tenth of a second is free, so that
/// small exports are not held up. Thread-safe.
class Pacer {
 public:
  Pacer(PacingSchedule schedule, const Clock& clock);

  /// A statement's place in the row of all.
  struct Turn {
    Duration wait{};                   ///< before it may be sent
    std::optional<Duration> expected;  ///< that was set aside for it; nullopt: nothing was
    double share = 1;                  ///< that it was set aside at
  };
  /// Whether statements need no turns now.
  bool off();
  Turn take_turn();
  /// `busy`: how long the statement kept the server at work. `slowdown`: how much longer than it might have, if known.
  void finish(const Turn& turn, Duration busy, std::optional<double> slowdown);
  /// The rule's pause between two statements of one scan.
  Duration pause();
  double share();

 private:
  const PacingRule& rule();

  std::mutex mutex_;
  PacingSchedule schedule_;
  const Clock& clock_;
  double share_;
  Duration expected_{};  ///< of the next statement
  std::chrono::steady_clock::time_point free_at_;
};

/// `paced: …`, for the status of an export.
std::string paced_text(const std::string& source, double share);

/// How long statements of one scan take at best, of late. Not thread-safe.
class LatencyBaseline {
 public:
  /// The time by which a statement of `rows` rows exceeds the best of the last half to whole minute, as a factor, 1 or
  /// more. nullopt for statements of so few rows that they say nothing.
  std::optional<double> slowdown(std::chrono::steady_clock::time_point now, Duration busy, std::int64_t rows);

 private:
  double best_ = 0;         ///< microseconds a row, of this half minute; 0: none yet
  double best_before_ = 0;  ///< of the one before
  std::optional<std::chrono::steady_clock::time_point> since_;
};

}  // namespace longshore
