#include "scan/mysql/servers.h"

#include <utility>

namespace longshore {

MysqlServers::MysqlServers(Source source, std::shared_ptr<ConnectionBudget> budget)
    : source_(std::move(source)), budget_(std::move(budget)) {}

Result<std::shared_ptr<const MysqlServers>> MysqlServers::make(const Source& source,
                                                               std::shared_ptr<ConnectionBudget> budget) {
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
  return servers;
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
  for (std::size_t index = 0;; ++index) {
    auto connection = servers.connect(index, label, stop, lease.slot);
    if (connection) {
      lease.connection = std::move(*connection);
      return lease;
    }
    if (connection.error().code != "source_unavailable" || index + 1 == servers.count()) {
      return fail(std::move(connection).error());
    }
  }
}

}  // namespace longshore
