#include "scan/mysql/servers.h"

#include <utility>

#include "scan/mysql/lag_query.h"

namespace longshore {

namespace {

std::string server_name(const MysqlAddress& address) {
  const std::string place = address.socket.empty() ? address.host + ":" + std::to_string(address.port) : address.socket;
  return place + "/" + address.database;
}

}  // namespace

Result<std::shared_ptr<const MysqlServers>> MysqlServers::make(const Source& source,
                                                               std::shared_ptr<ConnectionBudget> budget) {
  const std::shared_ptr<MysqlServers> servers(new MysqlServers(source, std::move(budget)));
  std::vector<std::string> urls = source.replicas;
  if (!source.primary.empty()) urls.push_back(source.primary);
  std::vector<Watched> watched;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    auto address = parse_mysql_address(urls[i]);
    if (!address) return fail(std::move(address).error().with_context("source " + source.name));
    watched.push_back(
        {server_name(*address), mysql_lag_probe(*address, source.lag_query, i >= source.replicas.size())});
    servers->addresses_.push_back(*std::move(address));
  }
  if (watched.empty()) {
    return fail(user_error("bad_source", "source " + source.name + " names neither replicas nor a primary"));
  }
  CHECK_OK(servers->watch(std::move(watched)));
  return servers;
}

Result<std::unique_ptr<MysqlConnection>> MysqlServers::connect(std::size_t index, const std::string& label,
                                                               std::stop_token stop, const ConnectionSlot& slot) const {
  auto connection = MysqlConnection::open({.address = address(index),
                                           .label = label,
                                           .statement_timeout = source().statement_timeout,
                                           .place = slot.place()},
                                          stop);
  if (!connection && connection.error().code != "scan_stopped") {
    return fail(std::move(connection).error().with_context("source " + source().name));
  }
  return connection;
}

}  // namespace longshore
