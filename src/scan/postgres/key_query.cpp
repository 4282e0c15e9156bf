#include "scan/postgres/key_query.h"

#include <algorithm>
#include <utility>

#include "scan/postgres/keyset_query.h"
#include "scan/postgres/literal.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

/// For questions that the planner answers by itself.
constexpr std::chrono::seconds kQuestionLimit{30};

/// EXPLAINs in one round trip: enough to forget the way, few enough to look at the clock between.
constexpr std::size_t kQuestionsAtOnce = 16;

/// Rows whose widths say something of all the others'.
constexpr int kRowsForWidths = 200;

std::string explain(const std::string& relation, const std::string& condition) {
  return "EXPLAIN (FORMAT JSON) SELECT 1 FROM " + relation + " WHERE " + condition;
}

/// The rows that a plan in JSON expects.
Result<std::int64_t> planned_rows(const std::string& json) {
  // The first occurrence belongs to the topmost node: its children are printed after its own properties.
  constexpr std::string_view kName = "\"Plan Rows\": ";
  const std::size_t at = json.find(kName);
  if (at == std::string::npos) return fail(source_query_failed("EXPLAIN answered without \"Plan Rows\""));
  const std::size_t begin = at + kName.size();
  const std::size_t end = json.find_first_not_of("0123456789", begin);
  return parse_int64(std::string_view(json).substr(begin, end - begin)).value_or(0);
}

/// The statistics of the relation's columns; those over all partitions where there are two sets.
constexpr const char* kStatistics =
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname"
    " WHERE c.oid = pg_catalog.to_regclass($1)";

}  // namespace

Result<PostgresKeyQuery> PostgresKeyQuery::make(PostgresConnection& connection, const ExportSpec& spec,
                                                std::stop_token stop) {
  PostgresKeyQuery query(connection, spec, stop);
  query.relation_ = from_relation(spec.dataset);
  TRY(query.where_, selection(spec));
  auto columns = read_columns(connection, spec.dataset.relation, stop);
  if (!columns) return fail(relation_gone(std::move(columns).error(), spec.dataset.relation));
  query.columns_ = *std::move(columns);
  for (std::size_t i = 0; i < spec.dataset.key.size(); ++i) {
    const PostgresColumn* column = find_column(query.columns_, spec.dataset.key[i]);
    if (column == nullptr) {
      return fail(source_schema_changed("key column \"" + spec.dataset.key[i] + "\" is not in relation " +
                                        spec.dataset.relation + "; run `longshore catalog check`"));
    }
    query.key_.push_back(*column);
    TRY(WireColumn wire, wire_column(*column, spec.dataset.key_types[i]));
    query.wire_.push_back(std::move(wire));
  }
  return query;
}

template <class T, class Ask>
Result<std::optional<T>> PostgresKeyQuery::within(std::chrono::milliseconds limit, Ask ask) {
  // In a transaction (a snapshot's) a timeout must not take all of it along.
  const bool nested = connection_->in_transaction();
  if (nested) CHECK_OK(connection_->query("SAVEPOINT question", {}, stop_));
  CHECK_OK(connection_->set_statement_timeout(limit, stop_));
  Result<T> answer = ask();
  if (nested && (answer || answer.error().code == "source_timeout")) {
    CHECK_OK(connection_->query(answer ? "RELEASE question" : "ROLLBACK TO question", {}, stop_));
  }
  // What follows may be another question, with a limit of its own.
  if (answer || answer.error().code == "source_timeout") {
    CHECK_OK(connection_->set_statement_timeout(kQuestionLimit, stop_));
  }
  if (answer) return std::optional<T>(*std::move(answer));
  if (answer.error().code == "source_timeout") return std::optional<T>();
  return fail(std::move(answer).error());
}

Result<std::int64_t> PostgresKeyQuery::estimated_rows(const std::string& condition) {
  TRY(const PostgresRows plan, connection_->query(explain(relation_, condition), {}, stop_));
  return planned_rows(plan.at(0, 0));
}

Result<std::vector<double>> PostgresKeyQuery::estimated_rows(const std::vector<std::string>& conditions,
                                                             std::chrono::steady_clock::time_point until) {
  std::vector<double> estimates;
  estimates.reserve(conditions.size());
  while (estimates.size() < conditions.size() && std::chrono::steady_clock::now() < until) {
    const std::size_t end = std::min(conditions.size(), estimates.size() + kQuestionsAtOnce);
    std::string statements;
    for (std::size_t i = estimates.size(); i < end; ++i) statements += explain(relation_, conditions[i]) + "; ";
    TRY(const PostgresRows plans, connection_->query_each(statements, stop_));
    for (std::size_t i = 0; i < plans.rows.size(); ++i) {
      TRY(const std::int64_t rows, planned_rows(plans.at(i, 0)));
      estimates.push_back(static_cast<double>(rows));
    }
  }
  return estimates;
}

Result<std::optional<std::int64_t>> PostgresKeyQuery::count(const std::string& condition,
                                                            std::optional<std::int64_t> most,
                                                            std::chrono::milliseconds limit) {
  return within<std::int64_t>(limit, [&]() -> Result<std::int64_t> {
    std::string sql = "SELECT 1 FROM " + relation_ + " WHERE " + condition;
    if (most) sql += " LIMIT " + std::to_string(*most);
    TRY(const PostgresRows rows, connection_->query("SELECT count(*) FROM (" + sql + ") counted", {}, stop_));
    return parse_int64(rows.at(0, 0)).value_or(0);
  });
}

Result<std::vector<KeyTuple>> PostgresKeyQuery::read_keys(const std::string& from) {
  std::vector<std::string> expressions;
  std::vector<std::size_t> positions;
  for (const WireColumn& column : wire_) {
    positions.push_back(positions.size());
    expressions.push_back(column.expression);
  }
  CopyDecoder decoder(CopyFormat::binary, wire_, 0, positions);
  decoder.begin();
  CHECK_OK(connection_->send_copy(
      "COPY (SELECT " + join(expressions, ", ") + " FROM " + from + ") TO STDOUT (FORMAT binary)", stop_));
  std::vector<KeyTuple> keys;
  RowBatch no_columns({});
  while (true) {
    TRY(const bool more, connection_->next_copy_row(stop_));
    if (!more) return keys;
    TRY(const bool row, decoder.decode(connection_->last_row(), no_columns));
    if (!row) continue;
    TRY(KeyTuple key, decoder.key());
    keys.push_back(std::move(key));
  }
}

Result<std::optional<std::optional<KeyTuple>>> PostgresKeyQuery::first_key(const std::string& condition,
                                                                           bool descending,
                                                                           std::chrono::milliseconds limit) {
  const std::vector<std::string> columns = key_columns(spec_->dataset);
  const std::string order = join(columns, descending ? " DESC, " : ", ") + (descending ? " DESC" : "");
  return within<std::optional<KeyTuple>>(limit, [&]() -> Result<std::optional<KeyTuple>> {
    TRY(auto keys, read_keys(relation_ + " WHERE " + condition + " ORDER BY " + order + " LIMIT 1"));
    if (keys.empty()) return std::optional<KeyTuple>();
    return std::optional<KeyTuple>(std::move(keys.front()));
  });
}

Result<std::optional<std::vector<KeyTuple>>> PostgresKeyQuery::keys_at(const std::vector<std::int64_t>& positions,
                                                                       std::chrono::milliseconds limit) {
  std::vector<std::string> numbers;
  numbers.reserve(positions.size());
  for (const std::int64_t position : positions) numbers.push_back(std::to_string(position));
  const std::string columns = join(key_columns(spec_->dataset), ", ");
  return within<std::vector<KeyTuple>>(limit, [&] {
    return read_keys("(SELECT " + columns + ", pg_catalog.row_number() OVER (ORDER BY " + columns +
                     ") AS longshore_position FROM " + relation_ + " WHERE " + where_ +
                     ") ranked WHERE longshore_position IN (" + join(numbers, ", ") + ") ORDER BY longshore_position");
  });
}

Result<std::vector<KeyTuple>> PostgresKeyQuery::in_key_order(const std::vector<KeyTuple>& candidates,
                                                             const KeyTuple* least, const KeyTuple& greatest) {
  if (candidates.empty()) return std::vector<KeyTuple>();
  // Cast to the columns' very types and collations: these decide how the scan's comparisons come out.
  const auto typed = [&](const KeyTuple& key) -> Result<std::vector<std::string>> {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < key.size(); ++i) {
      // A value of type text gets no cast but the one to the column's type.
      TRY(const std::string literal, postgres_literal({.type = {}, .text = key[i]}));
      values.push_back(literal + "::" + key_[i].base_spelled);
    }
    return values;
  };
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    TRY(const auto values, typed(candidates[i]));
    rows.push_back("(" + std::to_string(i) + ", " + join(values, ", ") + ")");
  }
  std::vector<std::string> names;
  std::vector<std::string> collated;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    names.push_back("k" + std::to_string(i));
    collated.push_back(names.back() + (key_[i].collation.empty() ? "" : " COLLATE " + key_[i].collation));
  }
  TRY(const auto high, typed(greatest));
  std::string inside = compare_rows(collated, "<", high);
  if (least != nullptr) {
    TRY(const auto low, typed(*least));
    inside += " AND " + compare_rows(collated, ">=", low);
  }
  TRY(const PostgresRows sorted,
      connection_->query("SELECT min(i) FROM (VALUES " + join(rows, ", ") + ") AS candidate(i, " + join(names, ", ") +
                             ") WHERE " + inside + " GROUP BY " + join(collated, ", ") + " ORDER BY " +
                             join(collated, ", "),
                         {}, stop_));
  std::vector<KeyTuple> ordered;
  for (std::size_t i = 0; i < sorted.rows.size(); ++i) {
    const auto index = parse_int64(sorted.at(i, 0));
    ordered.push_back(candidates[static_cast<std::size_t>(index.value_or(0))]);
  }
  return ordered;
}

std::string PostgresKeyQuery::sampled_relation(double percent) const {
  // Whole pages: to choose rows, every page would have to be read. A fixed seed, so that a plan can be made again.
  return relation_ + " TABLESAMPLE SYSTEM (" + float_text(percent) + ") REPEATABLE (7) WHERE " + where_;
}

Result<std::optional<PageSample>> PostgresKeyQuery::sample_pages(double percent, std::chrono::milliseconds limit) {
  const std::string table = kRelationAlias;
  return within<PageSample>(limit, [&]() -> Result<PageSample> {
    // A row's ctid is `(page,position)`, which reads as a point.
    TRY(const PostgresRows rows,
        connection_->query("SELECT pg_catalog.count(*), pg_catalog.count(DISTINCT (" + table + ".tableoid, (" + table +
                               ".ctid::text::point)[0])) FROM " + sampled_relation(percent),
                           {}, stop_));
    return PageSample{.rows = parse_int64(rows.at(0, 0)).value_or(0), .pages = parse_int64(rows.at(0, 1)).value_or(0)};
  });
}

Result<std::optional<std::vector<KeyTuple>>> PostgresKeyQuery::sample_keys(double percent, double share,
                                                                           std::chrono::milliseconds limit) {
  std::string from = sampled_relation(percent);
  if (share < 1) from += " AND pg_catalog.random() < " + float_text(share);
  from += " ORDER BY " + join(key_columns(spec_->dataset), ", ");
  return within<std::vector<KeyTuple>>(limit, [&] { return read_keys(from); });
}

Result<std::optional<std::vector<std::optional<std::int64_t>>>> PostgresKeyQuery::sampled_widths(
    const std::vector<Column>& columns, std::chrono::milliseconds limit) {
  std::vector<std::string> names;
  std::vector<std::string> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string name = "c" + std::to_string(i);
    std::string& column = names.emplace_back(quote_identifier(columns[i].source));
    // Of bytes the number, which is not that of their text.
    if (columns[i].type.logical != LogicalType::bytea) column += "::text";
    column += " AS ";
    column += name;
    widths.push_back("pg_catalog.avg(pg_catalog.octet_length(" + name + "))::int8");
  }
  return within<std::vector<std::optional<std::int64_t>>>(
      limit, [&]() -> Result<std::vector<std::optional<std::int64_t>>> {
        TRY(const PostgresRows rows,
            connection_->query("SELECT " + join(widths, ", ") + " FROM (SELECT " + join(names, ", ") + " FROM " +
                                   relation_ + " WHERE " + where_ + " LIMIT " + std::to_string(kRowsForWidths) +
                                   ") sample",
                               {}, stop_));
        std::vector<std::optional<std::int64_t>> averages;
        for (const auto& value : rows.rows.at(0)) averages.push_back(value ? parse_int64(*value) : std::nullopt);
        return averages;
      });
}

Result<std::vector<std::optional<std::int64_t>>> PostgresKeyQuery::average_widths(
    const std::vector<std::string>& columns) {
  TRY(const PostgresRows rows,
      connection_->query("SELECT s.attname, max(s.avg_width)" + std::string(kStatistics) + " GROUP BY s.attname",
                         {quote_relation(spec_->dataset.relation)}, stop_));
  std::vector<std::optional<std::int64_t>> widths(columns.size());
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    for (std::size_t column = 0; column < columns.size(); ++column) {
      if (columns[column] == rows.at(i, 0)) widths[column] = parse_int64(rows.at(i, 1));
    }
  }
  return widths;
}

}  // namespace longshore
