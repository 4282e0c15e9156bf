#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "cli/progress_bar.h"
#include "cli/terminal.h"

namespace longshore {

/// A rate over the last seconds, so that a pause or a slow start is soon forgotten. Not thread-safe.
class RateMeter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  void add(TimePoint at, std::int64_t total);
  /// Units a second; nullopt until the samples span a quarter of a second.
  std::optional<double> per_second() const;

 private:
  static constexpr std::chrono::seconds kWindow{5};
  std::deque<std::pair<TimePoint, std::int64_t>> samples_;
};

/// Shows progress on stderr: a bar that is drawn over on a terminal; elsewhere a line when something changed, at most
/// one a second. Nothing but what is said when it is `silent`. Thread-safe.
class ProgressDisplay {
 public:
  ProgressDisplay(int fd, bool silent);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void show(const ProgressView& view);
  /// A line for people that stays, above the bar.
  void say(const std::string& line);
  /// Wipes the bar, so that what is printed next begins on an empty line.
  void clear();

  const Terminal& terminal() const { return terminal_; }

 private:
  void wipe();

  std::mutex mutex_;
  int fd_;
  bool silent_;
  Terminal terminal_;
  bool drawn_ = false;
  unsigned tick_ = 0;
  std::string last_line_;
  std::optional<std::chrono::steady_clock::time_point> last_shown_;
};

}  // namespace longshore
