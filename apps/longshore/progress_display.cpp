#include "cli/progress_display.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;

constexpr auto kRedraw = 80ms;      // smooth to the eye, nothing to the processor
constexpr auto kLineInterval = 1s;  // a log stays readable

}  // namespace

void RateMeter::add(TimePoint at, std::int64_t total) {
  if (!samples_.empty() && total < samples_.back().second) samples_.clear();
  samples_.emplace_back(at, total);
  // One sample older than the window stays, so that the window is always covered.
  while (samples_.size() > 2 && at - samples_[1].first >= kWindow) samples_.pop_front();
}

std::optional<double> RateMeter::per_second() const {
  if (samples_.size() < 2) return std::nullopt;
  const std::chrono::duration<double> span = samples_.back().first - samples_.front().first;
  if (span < 250ms) return std::nullopt;
  return static_cast<double>(samples_.back().second - samples_.front().second) / span.count();
}

ProgressDisplay::ProgressDisplay(int fd, bool silent) : fd_(fd), silent_(silent), terminal_(inspect_terminal(fd)) {}

ProgressDisplay::~ProgressDisplay() {
  clear();
}

void ProgressDisplay::show(const ProgressView& view) {
  if (silent_) return;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (terminal_.is_terminal) {
    if (last_shown_ && now - *last_shown_ < kRedraw) return;
    last_shown_ = now;
    const BarStyle style{terminal_width(fd_), terminal_.unicode, terminal_.colour, tick_++};
    // Erasing after writing instead of before keeps the bar from flickering.
    write_all(fd_, "\r" + render_progress_bar(view, style) + "\x1b[K");
    drawn_ = true;
    return;
  }
  if (last_shown_ && now - *last_shown_ < kLineInterval) return;
  std::string line = render_progress_line(view);
  if (line == last_line_) return;
  last_shown_ = now;
  write_all(fd_, line + "\n");
  last_line_ = std::move(line);
}

void ProgressDisplay::say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  wipe();
  write_all(fd_, line + "\n");
}

void ProgressDisplay::clear() {
  const std::lock_guard lock(mutex_);
  wipe();
}

void ProgressDisplay::wipe() {
  if (!drawn_) return;
  write_all(fd_, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace longshore
