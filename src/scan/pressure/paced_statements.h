#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "scan/pressure/pacer.h"
#include "scan/pressure/pressure_note.h"

namespace longshore {

/// One scan's statements under its source's pacing: each waits for its turn, and the pacing is told how long it kept
/// the server at work. That is the time for which the scan waited for it; what is done with the rows in between is
/// nobody's work but ours. Not thread-safe.
class PacedStatements {
 public:
  /// `source`: its name, for the note. `note` may be nullptr. Both `pacer` and `note` outlive it.
  PacedStatements(Pacer& pacer, std::string source, PressureNote* note)
      : pacer_(pacer), source_(std::move(source)), note_(note) {}

  /// Waits until the next statement may be sent; the note says so meanwhile. Returns whether it had to wait.
  /// Errors: `scan_stopped`.
  Result<bool> take_turn(const std::stop_token& stop);
  /// Whether take_turn() would never wait.
  bool off() { return pacer_.off(); }

  /// A statement is sent now.
  void begin();
  /// From now on the scan waits for the statement, if one is running; from leave() on it does other things.
  void resume() { since_ = clock_.steady_now(); }
  void leave();
  /// The statement has delivered the last of its rows.
  void end(std::int64_t rows);

  /// For how long the statement has been running, or ran.
  Duration age() const { return std::chrono::duration_cast<Duration>(clock_.steady_now() - begun_); }

 private:
  SystemClock clock_;
  Pacer& pacer_;
  const std::string source_;
  PressureNote* note_;

  Pacer::Turn turn_;  ///< of the running statement
  LatencyBaseline baseline_;
  Duration busy_{};  ///< waited for the running statement so far
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point since_;
  std::chrono::steady_clock::time_point ended_;
};

}  // namespace longshore
