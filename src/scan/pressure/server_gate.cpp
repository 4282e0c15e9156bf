#include "scan/pressure/server_gate.h"

#include "scan/scan_errors.h"

namespace longshore {

namespace {

/// How soon a held scan sees that it may go on.
constexpr Duration kLook = std::chrono::milliseconds{100};

}  // namespace

template <class Find>
Result<std::size_t> ServerGate::wait_until(Find find, const std::stop_token& stop) {
  if (const std::optional<std::size_t> found = find()) return *found;
  HeldScans::Hold hold(held_, board_.why_waiting());
  const auto begun = clock_.steady_now();
  auto looked = begun;
  while (true) {
    if (note_ != nullptr) note_->set("paused: " + board_.why_waiting());
    const bool slept = clock_.sleep_for(kLook, stop);
    const auto now = clock_.steady_now();
    hold.passed(std::chrono::duration_cast<Duration>(now - looked));
    looked = now;
    if (!slept) return fail(scan_stopped());
    const std::optional<std::size_t> found = find();
    if (!found && now - begun >= max_pause_) return fail(source_paused(board_.why_waiting(), max_pause_));
    if (!found) continue;
    if (note_ != nullptr) note_->clear();
    return *found;
  }
}

Result<std::size_t> ServerGate::choose(const ServerBoard::Wish& wish, const std::stop_token& stop) {
  return wait_until([&] { return board_.choose(wish); }, stop);
}

Result<std::size_t> ServerGate::pass(std::size_t current, const std::stop_token& stop) {
  return wait_until(
      [&]() -> std::optional<std::size_t> {
        const ServerState state = board_.state(current);
        if (state == ServerState::fine || state == ServerState::unknown) return current;
        if (const auto other = board_.fine_replica_besides(current)) return other;
        // A server that does not answer the polls: the scan's own session knows better whether it is there.
        return state == ServerState::down ? std::optional(current) : std::nullopt;
      },
      stop);
}

Status ServerGate::wait_for(std::size_t current, const std::stop_token& stop) {
  TRY([[maybe_unused]] const std::size_t same,
      wait_until([&] { return board_.state(current) == ServerState::behind ? std::nullopt : std::optional(current); },
                 stop));
  return {};
}

}  // namespace longshore
