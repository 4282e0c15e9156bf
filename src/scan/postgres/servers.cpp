#include "scan/postgres/servers.h"

#include <algorithm>

#include "scan/postgres/primary_rule.h"
#include "scan/postgres/session_fence.h"
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

}  // namespace

Result<std::shared_ptr<const PostgresServers>> PostgresServers::make(Source source,
                                                                     std::shared_ptr<ConnectionBudget> budget) {
  TRY(PacingSchedule schedule, PacingSchedule::make(source.pacing));
  const std::shared_ptr<PostgresServers> servers(new PostgresServers(std::move(source), std::move(budget)));
  servers->pacer_ = std::make_unique<Pacer>(std::move(schedule), *servers->clock_);
  servers->watch_servers();
  return servers;
}

PostgresServers::PostgresServers(Source source, std::shared_ptr<ConnectionBudget> budget)
    : source_(std::move(source)),
      budget_(std::move(budget)),
      clock_(std::make_unique<SystemClock>()),
      held_(std::make_unique<HeldScans>(source_.name)) {
  for (const std::string& replica : source_.replicas) add_server(replica, false);
  if (!source_.primary.empty()) add_server(source_.primary, true);
}

void PostgresServers::add_server(std::string connection_string, bool primary) {
  std::string name = server_name(connection_string);
  // Two ways to one server, e.g. through two poolers on one port with other options, must not look like one.
  const auto named = [&](const std::string& taken) {
    return std::ranges::any_of(servers_, [&](const Server& server) { return server.name == taken; });
  };
  const std::string first = name;
  for (int i = 2; named(name); ++i) name = first + "#" + std::to_string(i);
  servers_.push_back({std::move(connection_string), std::move(name), primary});
}

void PostgresServers::watch_servers() {
  std::vector<ServerBoard::Server> shown;
  std::vector<PostgresMonitor::Server> polled;
  for (std::size_t i = 0; i < count(); ++i) {
    shown.push_back({name(i), is_primary(i)});
    // A primary that has replicas is left alone: it serves small exports only, while no replica can.
    if (count() == 1 || !is_primary(i)) polled.push_back({i, connection_string(i)});
  }
  board_ = std::make_unique<ServerBoard>(std::move(shown), source_.max_lag);
  if (polled.size() == 1 && source_.max_lag <= Duration::zero()) return;
  monitor_ =
      std::make_unique<PostgresMonitor>(*board_, std::move(polled), poll_interval(source_.max_lag), source_.lag_query);
}

PostgresServers::Use PostgresServers::use(const std::stop_token& stop) const {
  Use use(monitor_.get());
  if (monitor_ != nullptr) static_cast<void>(board_->wait_until_known(kFirstNews, stop));
  return use;
}

SourceHealth PostgresServers::health() const {
  return {.servers = board_->health(), .paused_scans = held_->now(), .paused_seconds = held_->seconds()};
}

Result<ConnectionSlot> PostgresServers::acquire_slot(std::stop_token stop, std::optional<Duration> patience) const {
  TRY(ConnectionSlot slot, budget_->acquire(stop, patience));
  CHECK_OK(end_lost_sessions(slot, stop));
  return slot;
}

/// From a place of our own, so that there is never a session more than allowed. Only if the place itself is unproven is
/// there no other way than to come first and to look then.
Status PostgresServers::end_lost_sessions(const ConnectionSlot& slot, const std::stop_token& stop) const {
  const std::vector<SuspectPlace> suspects = budget_->take_suspects();
  const bool unproven = slot.place()->unproven();
  if (suspects.empty() && !unproven) return {};
  std::vector<std::string> tags;
  tags.reserve(suspects.size() + 1);
  for (const SuspectPlace& suspect : suspects) tags.push_back(suspect.tag);
  if (unproven) tags.push_back(slot.place()->tag());
  bool all_ended = true;
  for (std::size_t server = 0; server < count(); ++server) {
    auto connection = connect(server, "fence", stop, slot);
    const Status ended = connection ? end_sessions(**connection, tags, stop) : fail(std::move(connection).error());
    if (ended) continue;
    all_ended = false;
    const bool stopped = ended.error().code == "scan_stopped";
    // What cannot be reached from here is not known to be gone; the quarantine has to do.
    if (!stopped && (ended.error().code == "source_unavailable" || !unproven)) continue;
    if (unproven) slot.place()->doubt();  // the next holder has to look, as we should have
    return fail(Error(ended.error()).with_context("source " + source_.name));
  }
  if (all_ended) budget_->clear(suspects);
  return {};
}

Result<std::unique_ptr<PostgresConnection>> PostgresServers::connect(std::size_t index, const std::string& label,
                                                                     std::stop_token stop,
                                                                     const ConnectionSlot& slot) const {
  auto connection = PostgresConnection::open({.connection_string = servers_[index % count()].connection_string,
                                              .application_name = "longshore/" + label,
                                              .statement_timeout = source_.statement_timeout,
                                              .place = slot.place()},
                                             stop);
  if (!connection && connection.error().code != "scan_stopped") {
    return fail(std::move(connection).error().with_context("source " + source_.name));
  }
  return connection;
}

Result<PostgresLease> PostgresLease::open(const PostgresServers& servers, const std::string& label,
                                          std::stop_token stop, std::optional<Duration> patience) {
  PostgresLease lease;
  TRY(lease.slot, servers.acquire_slot(stop, patience));
  lease.server = servers.best_now();
  for (std::size_t attempt = 1;; ++attempt) {
    auto connection = servers.connect(lease.server, label, stop, lease.slot);
    if (connection) {
      lease.connection = std::move(*connection);
      return lease;
    }
    if (connection.error().code != "source_unavailable" || attempt >= servers.count()) {
      return fail(std::move(connection).error());
    }
    lease.server = (lease.server + 1) % servers.count();
  }
}

Result<PostgresLease> PostgresLease::open_guarded(const PostgresServers& servers, const std::string& label,
                                                  const ExportSpec* spec, Duration max_pause, std::stop_token stop) {
  PostgresLease lease;
  lease.use = servers.use(stop);
  TRY(lease.slot, servers.acquire_slot(stop));
  ServerGate gate = servers.gate(nullptr, max_pause);
  ServerBoard::Wish wish;
  std::optional<Error> refused;
  std::size_t failures = 0;
  while (true) {
    TRY(lease.server, gate.choose(wish, stop));
    auto connection = servers.connect(lease.server, label, stop, lease.slot);
    if (connection) {
      lease.connection = std::move(*connection);
      const Status served =
          spec == nullptr ? Status() : may_serve(servers, lease.server, *lease.connection, *spec, stop);
      if (served) return lease;
      lease.connection.reset();
      if (served.error().code != "primary_refused" || !served.error().retriable) return fail(served.error());
      refused = served.error();
      wish.primary = false;
      continue;
    }
    if (connection.error().code != "source_unavailable") return fail(std::move(connection).error());
    if (++failures >= servers.count()) return fail(refused ? *refused : std::move(connection).error());
    wish.except = lease.server;
  }
}

}  // namespace longshore
