#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/result.h"

namespace longshore {

/// Runs one piece of work beside the caller, in order: while it runs, the caller prepares the next. Bound: one piece.
/// Used by one thread. The thread starts with the first piece; the destructor waits for the piece in hand.
class OneAhead {
 public:
  using Piece = std::function<Status()>;

  OneAhead() = default;
  ~OneAhead();
  OneAhead(const OneAhead&) = delete;
  OneAhead& operator=(const OneAhead&) = delete;

  /// Waits until the piece before is done. Returns its error; after an error no piece may be submitted.
  Status wait();
  /// REQUIRES: wait() has returned since the last submit().
  void submit(Piece piece);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Piece> piece_;  ///< until it is done
  Status outcome_;
  std::jthread thread_;
};

}  // namespace longshore
