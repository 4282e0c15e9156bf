#include "scan/postgres/servers.h"

#include <algorithm>

namespace longshore {

PostgresServers::PostgresServers(Source source)
    : source_(std::move(source)), slots_(std::make_shared<ConnectionSlots>(source_.max_connections)) {
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

Result<std::unique_ptr<PostgresConnection>> PostgresServers::connect(std::size_t index, const std::string& label,
                                                                     std::stop_token stop) const {
  auto connection = PostgresConnection::open({.connection_string = servers_[index % count()].connection_string,
                                              .application_name = "longshore/" + label,
                                              .statement_timeout = source_.statement_timeout},
                                             stop);
  if (!connection && connection.error().code != "scan_stopped") {
    return fail(std::move(connection).error().with_context("source " + source_.name));
  }
  return connection;
}

Result<PostgresLease> PostgresLease::open(const PostgresServers& servers, const std::string& label,
                                          std::stop_token stop) {
  PostgresLease lease;
  TRY(lease.slot, servers.acquire_slot(stop));
  for (std::size_t index = 0;; ++index) {
    auto connection = servers.connect(index, label, stop);
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
