#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "scan/pressure/held_scans.h"
#include "scan/pressure/pressure_note.h"
#include "scan/pressure/server_board.h"

namespace longshore {

/// One scan's way past the lag guard: which server to read from, and how long to wait before the next statement. Holds
/// nothing open while it waits. Not thread-safe; what it refers to outlives it.
class ServerGate {
 public:
  /// `note` may be nullptr. `max_pause`: how long one wait may last.
  ServerGate(ServerBoard& board, HeldScans& held, Clock& clock, Duration max_pause, PressureNote* note)
      : board_(board), held_(held), clock_(clock), max_pause_(max_pause), note_(note) {}

  /// The server for a new session; waits while all that answer are behind.
  /// Errors: `scan_stopped`, `source_paused` (external, retriable) after max_pause.
  Result<std::size_t> choose(const ServerBoard::Wish& wish, const std::stop_token& stop);

  /// At the border of two statements: the server to go on with, another than `current` if that one is behind or down
  /// while another is fine; waits while `current` is behind and there is no other. Errors: as choose().
  Result<std::size_t> pass(std::size_t current, const std::stop_token& stop);
  /// The same for a scan that cannot move: it waits.
  Status wait_for(std::size_t current, const std::stop_token& stop);
  /// Whether pass() would return `current` at once. Costs one atomic read.
  bool is_open(std::size_t current) const {
    const ServerState state = board_.state(current);
    return state == ServerState::fine || state == ServerState::unknown;
  }

 private:
  /// Asks `find` again and again until it finds something.
  template <class Find>
  Result<std::size_t> wait_until(Find find, const std::stop_token& stop);

  ServerBoard& board_;
  HeldScans& held_;
  Clock& clock_;
  const Duration max_pause_;
  PressureNote* note_;
};

}  // namespace longshore
