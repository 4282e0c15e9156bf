#include "scan/postgres/copy_maker.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/crash_point.h"
#include "scan/postgres/key_query.h"
#include "scan/postgres/keyset_query.h"
#include "scan/postgres/snapshot.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

/// Every column once, those of the key too.
std::vector<std::string> copied_columns(const ExportSpec& spec) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    const std::string column = std::string(kRelationAlias) + "." + quote_identifier(name);
    if (std::ranges::find(names, column) == names.end()) names.push_back(column);
  };
  for (const Column& column : spec.columns) add(column.source);
  for (const std::string& column : spec.dataset.key) add(column);
  return names;
}

std::string quoted_key(const Dataset& dataset) {
  std::vector<std::string> columns;
  columns.reserve(dataset.key.size());
  for (const std::string& column : dataset.key) columns.push_back(quote_identifier(column));
  return join(columns, ", ");
}

}  // namespace

std::string maker_label(const JobId& job) {
  std::string digits = job.str();
  std::erase(digits, '-');
  return "copy " + digits;
}

Result<std::optional<CopyMark>> find_copy(PostgresConnection& connection, const std::string& schema,
                                          const std::string& table, const std::stop_token& stop) {
  TRY(const PostgresRows rows, connection.query(R"(
    SELECT pg_catalog.obj_description(c.oid, 'pg_class')
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r')",
                                                {schema, table}, stop));
  if (rows.rows.empty() || !rows.rows[0][0]) return std::nullopt;
  return parse_mark(*rows.rows[0][0], table);
}

Result<CopyMark> CopyMaker::make(const std::stop_token& stop) {
  const std::string& schema = source_.staging->schema;
  const std::string table = copy_table(name_);
  TRY(std::optional<CopyMark> made, find_copy(connection_, schema, table, stop));
  if (!made) {
    CHECK_OK(refuse_large(stop));
    CHECK_OK(end_others(stop));
    const SystemClock clock;
    const auto begun = clock.steady_now();
    const Status created = create(stop);
    const auto took = std::chrono::duration_cast<Duration>(clock.steady_now() - begun);
    if (!created && created.error().code == "scan_stopped") return fail(created.error());
    if (!created && connection_.in_transaction()) CHECK_OK(connection_.query("ROLLBACK", {}, stop));
    // Also after an error: somebody else may have made it in the meantime, or the answer to our COMMIT was lost.
    auto found = find_copy(connection_, schema, table, stop);
    if (!created && (!found || !*found)) return fail(explain(created.error(), took));
    TRY(made, std::move(found));
    if (!made) return fail(internal_error("bad_copy", "the copy " + schema + "." + table + " is not there"));
    CHECK_OK(connection_.set_statement_timeout(source_.statement_timeout, stop));
  }
  // Repeated by whoever finds the copy: its maker may have died before it. Planning needs the statistics, and
  // autovacuum is told to leave the table alone.
  CHECK_OK(connection_.query("ANALYZE " + quote_relation(schema + "." + table), {}, stop));
  return *std::move(made);
}

Status CopyMaker::refuse_large(const std::stop_token& stop) {
  if (source_.staging->max_rows == kAnyRows) return {};
  TRY(PostgresKeyQuery query, PostgresKeyQuery::make(connection_, spec_, stop));
  TRY(const std::int64_t rows, query.estimated_rows(query.where()));
  if (rows < source_.staging->max_rows) return {};
  return fail(copy_refused(source_.name, rows, source_.staging->max_rows));
}

Status CopyMaker::end_others(const std::stop_token& stop) {
  const std::string name = "longshore/" + maker_label(name_.job);
  CHECK_OK(
      connection_.query("SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE "
                        "pid <> pg_catalog.pg_backend_pid() AND usename = current_user AND "
                        "pg_catalog.starts_with(application_name, $1)",
                        {name}, stop));
  return {};
}

Result<std::string> CopyMaker::select() const {
  TRY(const std::string where, selection(spec_));
  // In the key's order, so that neighbours in the key, which are read together, are neighbours on the disk.
  return "SELECT " + join(copied_columns(spec_), ", ") + " FROM " + from_relation(spec_.dataset) + " WHERE " + where +
         " ORDER BY " + join(key_columns(spec_.dataset), ", ");
}

Status CopyMaker::create(const std::stop_token& stop) {
  const std::string relation = quote_relation(source_.staging->schema + "." + copy_table(name_));
  TRY(const std::string selected, select());
  CHECK_OK(connection_.set_statement_timeout(source_.staging->timeout, stop));
  CopyMark mark{.name = name_, .moment = {}};
  mark.moment.system_identifier = system_identifier(connection_, stop);
  // The session is read only but for this.
  CHECK_OK(connection_.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE", {}, stop));
  CHECK_OK(read_moment(connection_, mark.moment, stop));
  crash_point("copy.begun");
  CHECK_OK(
      connection_.query("CREATE TABLE " + relation + " WITH (autovacuum_enabled = false) AS " + selected, {}, stop));
  crash_point("copy.filled");
  CHECK_OK(
      connection_.query("ALTER TABLE " + relation + " ADD PRIMARY KEY (" + quoted_key(spec_.dataset) + ")", {}, stop));
  CHECK_OK(connection_.query("COMMENT ON TABLE " + relation + " IS " + quote_text(to_comment(mark)), {}, stop));
  crash_point("copy.before_commit");
  CHECK_OK(connection_.query("COMMIT", {}, stop));
  crash_point("copy.after_commit");
  return {};
}

Error CopyMaker::explain(const Error& error, Duration took) const {
  // One that was cancelled sooner was cancelled by somebody.
  if (error.code == "source_timeout" && took * 5 >= source_.staging->timeout * 4) {
    return copy_timeout(source_.name, source_.staging->timeout);
  }
  return Error(error).with_context("the rows of " + spec_.dataset.relation + " cannot be copied to the schema " +
                                   source_.staging->schema);
}

}  // namespace longshore
