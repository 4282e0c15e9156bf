#include "scan/postgres/primary_rule.h"

#include "scan/postgres/key_query.h"
#include "scan/scan_errors.h"

namespace longshore {

Status may_serve(const PostgresServers& servers, std::size_t index, PostgresConnection& connection,
                 const ExportSpec& spec, const std::stop_token& stop) {
  const Source& source = servers.source();
  if (!servers.is_primary(index) || source.primary_max_rows == kAnyRows) return {};
  TRY(PostgresKeyQuery query, PostgresKeyQuery::make(connection, spec, stop));
  TRY(const std::int64_t rows, query.estimated_rows(query.where()));
  if (rows < source.primary_max_rows) return {};
  return fail(primary_refused(source.name, rows, source.primary_max_rows, !source.replicas.empty()));
}

}  // namespace longshore
