#include "scan/pressure/source_servers.h"

#include <algorithm>

#include "scan/scan_errors.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// Twice as often as a pause must be noticed, and not oftener than makes sense for limits of seconds.
Duration poll_interval(Duration max_lag) {
  return max_lag > Duration::zero() ? std::clamp<Duration>(max_lag / 4, 100ms, 1s) : Duration(1s);
}

/// A server that has not answered by then is not the first choice.
constexpr Duration kFirstNews = 1500ms;
/// What was heard before this says nothing of now. Polls come every second, and statements end in a fraction of one.
constexpr Duration kLately = 10s;

}  // namespace

SourceServers::SourceServers(Source source, std::shared_ptr<ConnectionBudget> budget)
    : source_(std::move(source)),
      budget_(std::move(budget)),
      clock_(std::make_unique<SystemClock>()),
      held_(std::make_unique<HeldScans>(source_.name)) {}

Status SourceServers::watch(std::vector<Watched> servers) {
  TRY(PacingSchedule schedule, PacingSchedule::make(source_.pacing));
  pacer_ = std::make_unique<Pacer>(std::move(schedule), *clock_);
  std::vector<ServerBoard::Server> shown;
  std::vector<ServerMonitor::Server> polled;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    // Two ways to one server, e.g. through two poolers on one port with other options, must not look like one.
    std::string name = servers[i].name;
    for (int n = 2; std::ranges::find(shown, name, &ServerBoard::Server::name) != shown.end(); ++n) {
      name = servers[i].name + "#" + std::to_string(n);
    }
    shown.push_back({std::move(name), is_primary(i)});
    // A primary that has replicas is left alone: it serves small exports only, while no replica can.
    if (servers.size() == 1 || !is_primary(i)) polled.push_back({i, std::move(servers[i].probe)});
  }
  board_ = std::make_unique<ServerBoard>(std::move(shown), source_.max_lag);
  if (polled.size() == 1 && source_.max_lag <= Duration::zero()) return {};
  monitor_ = std::make_unique<ServerMonitor>(*board_, std::move(polled), poll_interval(source_.max_lag));
  return {};
}

SourceServers::Use SourceServers::use(const std::stop_token& stop) const {
  Use use(monitor_.get());
  if (monitor_ != nullptr) static_cast<void>(board_->wait_until_known(kFirstNews, stop));
  return use;
}

Status SourceServers::may_serve(std::size_t index, const std::function<Result<std::int64_t>()>& estimated_rows) const {
  if (!is_primary(index) || source_.primary_max_rows == kAnyRows) return {};
  TRY(const std::int64_t rows, estimated_rows());
  if (rows < source_.primary_max_rows) return {};
  return fail(primary_refused(source_.name, rows, source_.primary_max_rows, !source_.replicas.empty()));
}

Status SourceServers::reachable() const {
  Status known = board_->reachable(kLately);
  return known ? Status() : fail(std::move(known).error().with_context("source " + source_.name));
}

SourceHealth SourceServers::health() const {
  return {.servers = board_->health(), .paused_scans = held_->now(), .paused_seconds = held_->seconds()};
}

}  // namespace longshore
