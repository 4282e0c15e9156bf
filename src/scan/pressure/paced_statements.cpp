#include "scan/pressure/paced_statements.h"

#include <algorithm>

#include "scan/scan_errors.h"

namespace longshore {

Result<bool> PacedStatements::take_turn(const std::stop_token& stop) {
  turn_ = {};
  if (pacer_.off()) return false;
  turn_ = pacer_.take_turn();
  const auto since_end = std::chrono::duration_cast<Duration>(clock_.steady_now() - ended_);
  const Duration wait = std::max(turn_.wait, pacer_.pause() - since_end);
  if (wait <= Duration::zero()) {
    if (note_ != nullptr) note_->clear();
    return false;
  }
  if (note_ != nullptr) note_->set(paced_text(source_, pacer_.share()));
  if (!clock_.sleep_for(wait, stop)) return fail(scan_stopped());
  return true;
}

void PacedStatements::begin() {
  busy_ = Duration::zero();
  begun_ = since_ = clock_.steady_now();
}

void PacedStatements::leave() {
  busy_ += std::chrono::duration_cast<Duration>(clock_.steady_now() - since_);
}

void PacedStatements::end(std::int64_t rows) {
  ended_ = clock_.steady_now();
  if (!turn_.expected) return;
  busy_ += std::chrono::duration_cast<Duration>(ended_ - since_);
  pacer_.finish(turn_, busy_, baseline_.slowdown(ended_, busy_, rows));
}

}  // namespace longshore
