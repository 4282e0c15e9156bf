#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <stop_token>

#include "base/result.h"

namespace longshore {

/// Ctrl-C (SIGINT), SIGTERM and SIGHUP as calls on a thread of its own, where anything may be done. The signals are
/// blocked in the calling thread and in those it starts later, so make this first. Restores the mask at its end.
class Interrupts {
 public:
  /// Told of each signal: its number and how many came so far.
  using Handler = std::function<void(int signal, int count)>;
  /// Errors: `signals_unavailable` (internal).
  static Result<std::unique_ptr<Interrupts>> make(Handler handler);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  struct State;
  explicit Interrupts(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace longshore
