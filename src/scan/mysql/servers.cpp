#include "scan/mysql/servers.h"

#include <algorithm>

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// Twice as often as a pause must be noticed, and not oftener than makes sense for limits of seconds.
Duration poll_interval(Duration max_lag) {
  return max_lag > Duration::zero() ? std::clamp<Duration>(max_lag / 4, 100ms, 1s) : Duration(1s);
}

/// A server that has not answered by then is not the first choice.
constexpr Duration kFirstNews = 1500ms;

std::string server_name(const MysqlAddress& address) {
  const std::string place = address.socket.empty() ? address.host + ":" + std::to_string(address.port) : address.socket;
  return place + "/" + address.database;
}

}  // namespace

MysqlServers::MysqlServers(Source source, std::shared_ptr<ConnectionBudget> budget)
    : source_(std::move(source)),
      budget_(std::move(budget)),
      clock_(std::make_unique<SystemClock>()),
      held_(std::make_unique<HeldScans>(source_.name)) {}

Result<std::shared_ptr<const MysqlServers>> MysqlServers::make(const Source& source,
                                                               std::shared_ptr<ConnectionBudget> budget) {
  TRY(PacingSchedule schedule, PacingSchedule::make(source.pacing));
  std::shared_ptr<MysqlServers> servers(new MysqlServers(source, std::move(budget)));
  std::vector<std::string> urls = source.replicas;
  if (!source.primary.empty()) urls.push_back(source.primary);
  for (const std::string& url : urls) {
    auto address = parse_mysql_address(url);
    if (!address) return fail(std::move(address).error().with_context("source " + source.name));
    servers->addresses_.push_back(*std::move(address));
  }
  if (servers->addresses_.empty()) {
    return fail(user_error("bad_source", "source " + source.name + " names neither replicas nor a primary"));
  }
  servers->pacer_ = std::make_unique<Pacer>(std::move(schedule), *servers->clock_);
  servers->watch_servers();
  return servers;
}

void MysqlServers::watch_servers() {
  std::vector<ServerBoard::Server> shown;
  std::vector<MysqlMonitor::Server> polled;
  for (std::size_t i = 0; i < count(); ++i) {
    const std::string name = server_name(addresses_[i]);
    const auto same = std::ranges::count_if(shown, [&](const auto& server) { return server.name.starts_with(name); });
    shown.push_back({same == 0 ? name : name + "#" + std::to_string(same + 1), is_primary(i)});
    // A primary that has replicas is left alone: it serves small exports only, while no replica can.
    if (count() == 1 || !is_primary(i)) polled.push_back({i, addresses_[i], is_primary(i)});
  }
  board_ = std::make_unique<ServerBoard>(std::move(shown), source_.max_lag);
  if (polled.size() == 1 && source_.max_lag <= Duration::zero()) return;
  monitor_ =
      std::make_unique<MysqlMonitor>(*board_, std::move(polled), poll_interval(source_.max_lag), source_.lag_query);
}

MysqlServers::Use MysqlServers::use(const std::stop_token& stop) const {
  Use use(monitor_.get());
  if (monitor_ != nullptr) static_cast<void>(board_->wait_until_known(kFirstNews, stop));
  return use;
}

SourceHealth MysqlServers::health() const {
  return {.servers = board_->health(), .paused_scans = held_->now(), .paused_seconds = held_->seconds()};
}

Result<std::unique_ptr<MysqlConnection>> MysqlServers::connect(std::size_t index, const std::string& label,
                                                               std::stop_token stop, const ConnectionSlot& slot) const {
  auto connection = MysqlConnection::open({.address = address(index),
                                           .label = label,
                                           .statement_timeout = source_.statement_timeout,
                                           .place = slot.place()},
                                          stop);
  if (!connection && connection.error().code != "scan_stopped") {
    return fail(std::move(connection).error().with_context("source " + source_.name));
  }
  return connection;
}

Result<MysqlLease> MysqlLease::open(const MysqlServers& servers, const std::string& label, std::stop_token stop) {
  MysqlLease lease;
  TRY(lease.slot, servers.acquire_slot(stop));
  std::size_t server = servers.best_now();
  for (std::size_t attempt = 1;; ++attempt, ++server) {
    auto connection = servers.connect(server, label, stop, lease.slot);
    if (connection) {
      lease.connection = std::move(*connection);
      return lease;
    }
    if (connection.error().code != "source_unavailable" || attempt >= servers.count()) {
      return fail(std::move(connection).error());
    }
  }
}

}  // namespace longshore
