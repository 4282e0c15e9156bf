#include "scan/mysql/primary_rule.h"

#include "scan/mysql/key_query.h"
#include "scan/mysql/servers.h"

namespace longshore {

Status may_serve(const MysqlServers& servers, std::size_t index, MysqlConnection& connection, const ExportSpec& spec,
                 const std::stop_token& stop) {
  return servers.may_serve(index, [&]() -> Result<std::int64_t> {
    TRY(MysqlKeyQuery query, MysqlKeyQuery::make(connection, spec, stop));
    return query.estimated_rows(query.where());
  });
}

}  // namespace longshore
