#include "scan/pressure/pacer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// The time that may be used without waiting after a rest.
constexpr Duration kBurst = 100ms;
constexpr double kSlow = 2.0;
constexpr double kCalm = 1.3;
constexpr double kShrink = 0.67;
constexpr double kGrow = 1.1;
/// No statement is followed by a longer wait: a share that small is silence enough.
constexpr Duration kLongestWait = 30s;
constexpr auto kBaselineHalf = 30s;
constexpr std::int64_t kFewRows = 100;

Duration scaled(Duration duration, double factor) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(duration.count()) * factor));
}

}  // namespace

Result<PacingSchedule> PacingSchedule::make(const Pacing& pacing) {
  PacingSchedule schedule;
  schedule.rule_ = pacing.rule;
  for (const PacingWindow& window : pacing.windows) {
    TRY(TimeZone zone, TimeZone::find(window.time_zone));
    schedule.windows_.push_back({window, LocalTime(std::move(zone))});
  }
  return schedule;
}

const PacingRule& PacingSchedule::rule_at(Timestamp now) {
  for (Window& window : windows_) {
    const std::int64_t local = window.local.local_micros(now.time_since_epoch().count());
    constexpr std::int64_t kDay = std::int64_t{86'400} * 1'000'000;
    const auto minute = static_cast<int>(((local % kDay) + kDay) % kDay / 60'000'000);
    const auto& [from, to, zone, rule] = window.settings;
    const bool inside = from < to ? from <= minute && minute < to : from <= minute || minute < to;
    if (inside) return window.settings.rule;
  }
  return rule_;
}

Pacer::Pacer(PacingSchedule schedule, const Clock& clock)
    : schedule_(std::move(schedule)),
      clock_(clock),
      share_(schedule_.rule_at(clock.now()).least_duty),
      free_at_(clock.steady_now() - scaled(kBurst, 1 / share_)) {}

const PacingRule& Pacer::rule() {
  const PacingRule& rule = schedule_.rule_at(clock_.now());
  share_ = std::clamp(share_, std::min(rule.least_duty, rule.duty), rule.duty);
  return rule;
}

bool Pacer::off() {
  const std::lock_guard lock(mutex_);
  return rule().off();
}

Duration Pacer::pause() {
  const std::lock_guard lock(mutex_);
  return rule().pause;
}

double Pacer::share() {
  const std::lock_guard lock(mutex_);
  static_cast<void>(rule());
  return share_;
}

Pacer::Turn Pacer::take_turn() {
  const std::lock_guard lock(mutex_);
  if (rule().duty >= 1) return {};
  const auto now = clock_.steady_now();
  // What was not used is lost, but for a little. At a share of a tenth the burst's worth of work is due in ten bursts.
  free_at_ = std::max(free_at_, now - scaled(kBurst, 1 / share_));
  const auto start = std::max(now, free_at_);
  free_at_ += std::min(scaled(expected_, 1 / share_), kLongestWait);
  return {.wait = std::chrono::duration_cast<Duration>(start - now), .expected = expected_, .share = share_};
}

void Pacer::finish(const Turn& turn, Duration busy, std::optional<double> slowdown) {
  const std::lock_guard lock(mutex_);
  const PacingRule& now = rule();
  if (!turn.expected) return;
  // What it took beyond what was set aside is owed, or given back.
  free_at_ += std::min(scaled(busy, 1 / turn.share), kLongestWait) -
              std::min(scaled(*turn.expected, 1 / turn.share), kLongestWait);
  expected_ = (expected_ * 3 + busy) / 4;
  if (!slowdown || now.duty >= 1) return;
  if (*slowdown > kSlow) {
    share_ = std::max(share_ * kShrink, std::min(now.least_duty, now.duty));
  } else if (*slowdown <= kCalm) {
    share_ = std::min(share_ * kGrow, now.duty);
  }
}

std::string paced_text(const std::string& source, double share) {
  if (share >= 1) return "paced: reading pauses between statements (pacing of source " + source + ")";
  const long percent = std::max(1L, std::lround(share * 100));
  return "paced: reading takes at most " + std::to_string(percent) +
         " % of the time, so that the database has time for others (pacing of source " + source + ")";
}

std::optional<double> LatencyBaseline::slowdown(std::chrono::steady_clock::time_point now, Duration busy,
                                                std::int64_t rows) {
  if (rows < kFewRows) return std::nullopt;
  const double took = std::max(static_cast<double>(busy.count()), 1.0) / static_cast<double>(rows);
  if (!since_) since_ = now;
  if (now - *since_ >= kBaselineHalf) {
    // After a long rest nothing of before says how fast the server is.
    best_before_ = now - *since_ < 2 * kBaselineHalf ? best_ : 0;
    best_ = 0;
    since_ = now;
  }
  best_ = best_ == 0 ? took : std::min(best_, took);
  return took / (best_before_ == 0 ? best_ : std::min(best_, best_before_));
}

}  // namespace longshore
