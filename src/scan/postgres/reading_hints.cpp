#include "scan/postgres/reading_hints.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "model/export_spec.h"
#include "scan/postgres/keyset_query.h"
#include "scan/postgres/relation_shape.h"
#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// 8 MB: below, a plan without an index is right, and ranges are cut by counting.
constexpr std::int64_t kLargePages = 1000;
/// To find some tenant behind a view that computes much.
constexpr std::chrono::seconds kTenantLimit = 3s;

std::string analyze_statement(const Dataset& dataset) {
  return "ANALYZE " + quote_relation(dataset.relation) + ";";
}

void add_statistics_hints(const Dataset& dataset, const RelationShape& shape, std::vector<ReadingHint>& hints) {
  if (shape.foreign_tables > 0) {
    hints.push_back({"relation", "foreign_table",
                     dataset.relation + " reads " + std::to_string(shape.foreign_tables) +
                         (shape.foreign_tables == 1 ? " foreign table" : " foreign tables") +
                         ", whose rows come from another server: that server is not paced, and ranges are cut without "
                         "a sample of its pages; read it as a source of its own, if you can"});
  }
  if (shape.pages < kLargePages) return;
  if (shape.unanalysed > 0) {
    const std::string which = shape.unanalysed == shape.tables ? std::string()
                                                               : std::to_string(shape.unanalysed) + " of the " +
                                                                     std::to_string(shape.tables) + " tables of ";
    hints.push_back({"relation", "no_statistics",
                     "PostgreSQL has no statistics of " + which + dataset.relation +
                         ", so that sizes of exports are guessed; run " + analyze_statement(dataset)});
  } else if (shape.has_children && !shape.analysed_as_whole) {
    hints.push_back({"relation", "parent_not_analysed",
                     dataset.relation +
                         " has statistics of its partitions but none of the whole (autovacuum makes none), so that "
                         "plans over all partitions are guessed; now and then, run " +
                         analyze_statement(dataset)});
  }
}

/// Some tenant of the relation. nullopt: there is no row, or none is found quickly.
Result<std::optional<std::string>> some_tenant(PostgresConnection& connection, const Dataset& dataset,
                                               const std::stop_token& stop) {
  const std::string column = quote_identifier(dataset.tenant_column);
  CHECK_OK(connection.set_statement_timeout(kTenantLimit, stop));
  const auto rows = connection.query(
      "SELECT " + column + "::text FROM " + from_relation(dataset) + " WHERE " + column + " IS NOT NULL LIMIT 1", {},
      stop);
  if (!rows && rows.error().code != "source_timeout") return fail(rows.error());
  if (!rows || rows->rows.empty()) return std::optional<std::string>();
  return std::optional(rows->at(0, 0));
}

/// The most rows that one node of the plan (in JSON) sorts; an incremental sort takes them in small groups.
std::int64_t sorted_rows(std::string_view json) {
  constexpr std::string_view kSort = "\"Node Type\": \"Sort\"";
  constexpr std::string_view kRows = "\"Plan Rows\": ";
  std::int64_t most = 0;
  for (std::size_t at = json.find(kSort); at != std::string_view::npos; at = json.find(kSort, at + 1)) {
    // A node's own properties are printed before its children's.
    const std::size_t rows = json.find(kRows, at);
    if (rows == std::string_view::npos) break;
    const std::size_t begin = rows + kRows.size();
    const std::size_t end = json.find_first_not_of("0123456789", begin);
    most = std::max(most, parse_int64(json.substr(begin, end - begin)).value_or(0));
  }
  return most;
}

Result<std::optional<ReadingHint>> sort_hint(PostgresConnection& connection, const Dataset& dataset, int batch_rows,
                                             const std::stop_token& stop) {
  ExportSpec spec;
  spec.dataset = dataset;
  if (!dataset.tenant_column.empty()) {
    TRY(const std::optional<std::string> tenant, some_tenant(connection, dataset, stop));
    if (!tenant) return std::optional<ReadingHint>();
    spec.tenant = *tenant;
  }
  TRY(const std::string where, selection(spec));
  TRY(const PostgresRows plan,
      connection.query("EXPLAIN (FORMAT JSON) SELECT * FROM " + from_relation(dataset) + " WHERE " + where +
                           " ORDER BY " + join(key_columns(dataset), ", ") + " LIMIT " + std::to_string(batch_rows),
                       {}, stop));
  const std::int64_t rows = sorted_rows(plan.at(0, 0));
  if (rows <= batch_rows) return std::optional<ReadingHint>();
  std::vector<std::string> columns;
  if (!dataset.tenant_column.empty()) columns.push_back(quote_identifier(dataset.tenant_column));
  for (const std::string& column : dataset.key) {
    if (column != dataset.tenant_column) columns.push_back(quote_identifier(column));
  }
  return std::optional(ReadingHint{
      "key", "key_sorted",
      "for every batch of " + std::to_string(batch_rows) + " rows PostgreSQL would sort about " + std::to_string(rows) +
          " rows of one tenant, because it finds no index that has them in the key's order; an index on (" +
          join(columns, ", ") + ") of " + dataset.relation + ", or of the tables behind it, would serve"});
}

}  // namespace

Result<std::vector<ReadingHint>> reading_hints(PostgresConnection& connection, const Dataset& dataset, int batch_rows,
                                               std::stop_token stop) {
  std::vector<ReadingHint> hints;
  TRY(const RelationShape shape, read_relation_shape(connection, dataset.relation, stop));
  add_statistics_hints(dataset, shape, hints);
  if (shape.pages < kLargePages) return hints;
  TRY(auto sorted, sort_hint(connection, dataset, batch_rows, stop));
  if (sorted) hints.push_back(*std::move(sorted));
  return hints;
}

Result<std::optional<ReadingHint>> snapshot_hint(PostgresConnection& connection, const std::string& path,
                                                 const std::string& name, std::stop_token stop) {
  TRY(const PostgresRows rows, connection.query(R"(
    SELECT pg_catalog.pg_is_in_recovery() AND NOT pg_catalog.current_setting('hot_standby_feedback')::bool,
           pg_catalog.current_setting('max_standby_streaming_delay'))",
                                                {}, std::move(stop)));
  if (rows.at(0, 0) != "t") return std::optional<ReadingHint>();
  const std::string& delay = rows.at(0, 1);
  std::string message =
      "the standby " + name + " has hot_standby_feedback off and max_standby_streaming_delay = " + delay;
  message += delay == "-1" ? ": replay there waits for the end of a snapshot whose rows it has to remove, so that the "
                             "standby falls behind while it is read (see max_lag)"
                           : ": a snapshot is cancelled there when replay has waited so long to remove rows that it "
                             "sees, and a long export of it begins again or fails (on_snapshot_loss)";
  return std::optional(ReadingHint{path, "standby_cancels_snapshots",
                                   message + "; set hot_standby_feedback = on there" +
                                       (delay == "-1" ? "" : ", or a delay as long as exports take")});
}

}  // namespace longshore
