#include "scan/postgres/servers.h"

namespace longshore {

PostgresServers::PostgresServers(Source source)
    : source_(std::move(source)),
      connection_strings_(source_.replicas.empty() ? std::vector<std::string>{source_.primary} : source_.replicas),
      slots_(std::make_shared<ConnectionSlots>(source_.max_connections)) {}

Result<std::unique_ptr<PostgresConnection>> PostgresServers::connect(std::size_t index, const std::string& label,
                                                                     std::stop_token stop) const {
  auto connection = PostgresConnection::open({.connection_string = connection_strings_[index % count()],
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
