#include "scan/postgres/primary_rule.h"

#include "scan/postgres/key_query.h"
#include "scan/postgres/servers.h"

namespace longshore {

Status may_serve(const PostgresServers& servers, std::size_t index, PostgresConnection& connection,
                 const ExportSpec& spec, const std::stop_token& stop) {
  return servers.may_serve(index, [&]() -> Result<std::int64_t> {
    TRY(PostgresKeyQuery query, PostgresKeyQuery::make(connection, spec, stop));
    return query.estimated_rows(query.where());
  });
}

}  // namespace longshore
