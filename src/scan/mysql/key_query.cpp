#include "scan/mysql/key_query.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "scan/mysql/literal.h"
#include "scan/mysql/schema_reader.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

/// For questions that the optimizer answers by itself.
constexpr std::chrono::seconds kQuestionLimit{30};
constexpr int kSampledRows = 200;

std::string select_list(const MysqlKey& key) {
  std::vector<std::string> expressions;
  for (const MysqlWireColumn& column : key.wire()) expressions.push_back(column.expression);
  return join(expressions, ", ");
}

}  // namespace

Result<MysqlKeyQuery> MysqlKeyQuery::make(MysqlConnection& connection, const ExportSpec& spec, std::stop_token stop) {
  MysqlKeyQuery query(connection, spec, stop);
  query.relation_ = from_mysql_relation(spec.dataset);
  auto columns = read_columns(connection, spec.dataset.relation, stop);
  if (!columns) return fail(relation_gone(std::move(columns).error(), spec.dataset.relation));
  query.columns_ = *std::move(columns);
  TRY(query.key_, MysqlKey::make(spec.dataset, query.columns_));
  TRY(query.where_, selection(spec, query.columns_));
  return query;
}

template <class T, class Ask>
Result<std::optional<T>> MysqlKeyQuery::within(std::chrono::milliseconds limit, Ask ask) {
  CHECK_OK(connection_->set_statement_timeout(std::max(limit, std::chrono::milliseconds{1}), stop_));
  Result<T> answer = ask();
  // What follows may be another question, with a limit of its own.
  if (answer || answer.error().code == "source_timeout") {
    CHECK_OK(connection_->set_statement_timeout(kQuestionLimit, stop_));
  }
  if (answer) return std::optional<T>(*std::move(answer));
  if (answer.error().code == "source_timeout") return std::optional<T>();
  return fail(std::move(answer).error());
}

Result<std::int64_t> MysqlKeyQuery::estimated_rows(const std::string& condition) {
  const bool mariadb = connection_->is_mariadb();
  TRY(const MysqlRows plan, connection_->query(std::string(mariadb ? "EXPLAIN EXTENDED" : "EXPLAIN") +
                                                   " SELECT 1 FROM " + relation_ + " WHERE " + condition,
                                               stop_));
  // id, select_type, table, [partitions, in MySQL,] type, possible_keys, key, key_len, ref, rows, filtered, Extra
  const std::size_t rows_at = mariadb ? 8 : 9;
  if (plan.rows.empty() || plan.rows[0].size() < rows_at + 2) {
    return fail(source_query_failed("EXPLAIN answered in a form that is not known"));
  }
  // Without rows it is an impossible condition.
  const auto rows = parse_float64(plan.rows[0][rows_at].value_or("0")).value_or(0);
  const auto filtered = parse_float64(plan.rows[0][rows_at + 1].value_or("100")).value_or(100);
  return std::llround(rows * std::clamp(filtered, 0.0, 100.0) / 100.0);
}

Result<std::optional<std::int64_t>> MysqlKeyQuery::count(const std::string& condition, std::optional<std::int64_t> most,
                                                         std::chrono::milliseconds limit) {
  return within<std::int64_t>(limit, [&]() -> Result<std::int64_t> {
    std::string sql = "SELECT count(*) FROM " + relation_ + " WHERE " + condition;
    if (most) {
      sql = "SELECT count(*) FROM (SELECT 1 FROM " + relation_ + " WHERE " + condition + " LIMIT " +
            std::to_string(*most) + ") counted";
    }
    TRY(const MysqlRows rows, connection_->query(sql, stop_));
    return parse_int64(rows.at(0, 0)).value_or(0);
  });
}

Result<KeyTuple> MysqlKeyQuery::current_key() {
  KeyTuple key;
  const auto row = connection_->row();
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i].data() == nullptr) {
      return fail(external_error("source_value_mismatch",
                                 "key column \"" + key_.columns()[i].name +
                                     "\" is NULL in a row; such rows have no place in the order of an export",
                                 false));
    }
    key.push_back(key_text(row[i], key_.wire()[i]));
  }
  return key;
}

Result<std::optional<std::optional<KeyTuple>>> MysqlKeyQuery::first_key(const std::string& condition, bool descending,
                                                                        std::chrono::milliseconds limit) {
  const std::string order = join(key_.names(), descending ? " DESC, " : ", ") + (descending ? " DESC" : "");
  return within<std::optional<KeyTuple>>(limit, [&]() -> Result<std::optional<KeyTuple>> {
    CHECK_OK(connection_->send("SELECT " + select_list(key_) + " FROM " + relation_ + " WHERE " + condition +
                                   " ORDER BY " + order + " LIMIT 1",
                               stop_));
    std::optional<KeyTuple> key;
    while (true) {
      TRY(const bool more, connection_->next_row(stop_));
      if (!more) return key;
      TRY(key, current_key());
    }
  });
}

Result<std::optional<std::vector<KeyTuple>>> MysqlKeyQuery::keys_at(const std::vector<std::int64_t>& positions,
                                                                    std::chrono::milliseconds limit) {
  if (positions.empty()) return std::optional(std::vector<KeyTuple>());
  return within<std::vector<KeyTuple>>(limit, [&]() -> Result<std::vector<KeyTuple>> {
    CHECK_OK(connection_->send("SELECT " + select_list(key_) + " FROM " + relation_ + " WHERE " + where_ +
                                   " ORDER BY " + join(key_.names(), ", ") + " LIMIT " +
                                   std::to_string(positions.back()),
                               stop_));
    std::vector<KeyTuple> keys;
    for (std::int64_t position = 1;; ++position) {
      TRY(const bool more, connection_->next_row(stop_));
      if (!more) return keys;
      if (keys.size() == positions.size() || positions[keys.size()] != position) continue;
      TRY(KeyTuple key, current_key());
      keys.push_back(std::move(key));
    }
  });
}

Status MysqlKeyQuery::begin_snapshot() {
  CHECK_OK(connection_->query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", stop_));
  return {};
}

Status MysqlKeyQuery::end_snapshot() {
  CHECK_OK(connection_->query("ROLLBACK", stop_));
  return {};
}

Result<std::vector<std::optional<std::int64_t>>> MysqlKeyQuery::sampled_widths(const std::vector<Column>& columns) {
  std::vector<std::string> lengths;
  for (const Column& column : columns) {
    const std::string name = quote_identifier(column.source);
    const MysqlColumn* found = find_column(columns_, column.source);
    const bool has_length = found != nullptr && found->kind != MysqlKind::geometry;
    lengths.push_back(has_length ? "CAST(avg(length(" + name + ")) AS SIGNED)" : "NULL");
  }
  TRY(const MysqlRows sample, connection_->query("SELECT " + join(lengths, ", ") + " FROM (SELECT r.* FROM " +
                                                     relation_ + " LIMIT " + std::to_string(kSampledRows) + ") sample",
                                                 stop_));
  std::vector<std::optional<std::int64_t>> widths(columns.size());
  for (std::size_t i = 0; i < columns.size() && !sample.rows.empty(); ++i) {
    if (sample.rows[0][i]) widths[i] = parse_int64(*sample.rows[0][i]);
  }
  return widths;
}

}  // namespace longshore
