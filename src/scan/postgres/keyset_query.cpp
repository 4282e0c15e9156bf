#include "scan/postgres/keyset_query.h"

#include "scan/postgres/literal.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

Result<std::string> condition(const Filter& filter) {
  const std::string column = quote_identifier(filter.column);
  if (filter.op == FilterOp::is_null) return column + " IS NULL";
  std::vector<std::string> literals;
  for (const Value& value : filter.values) {
    TRY(std::string literal, postgres_literal(value));
    literals.push_back(std::move(literal));
  }
  if (filter.op == FilterOp::in) {
    if (literals.empty()) return std::string("FALSE");
    return column + " IN (" + join(literals, ", ") + ")";
  }
  if (literals.size() != 1) {
    return fail(
        internal_error("bad_filter", "a comparison of column \"" + filter.column + "\" needs exactly one value"));
  }
  return column + " " + std::string(comparison_operator(filter.op)) + " " + literals[0];
}

}  // namespace

Result<std::string> tenant_selection(const ExportSpec& spec) {
  if (spec.dataset.tenant_column.empty()) return std::string("TRUE");
  TRY(const std::string tenant, postgres_literal({.type = spec.dataset.tenant_type, .text = spec.tenant}));
  return quote_identifier(spec.dataset.tenant_column) + " = " + tenant;
}

Result<std::string> selection(const ExportSpec& spec) {
  TRY(std::string where, tenant_selection(spec));
  for (const Filter& filter : spec.filters) {
    TRY(const std::string next, condition(filter));
    where += " AND " + next;
  }
  return where;
}

std::vector<std::string> key_columns(const Dataset& dataset) {
  std::vector<std::string> columns;
  columns.reserve(dataset.key.size());
  for (const std::string& column : dataset.key) {
    columns.push_back(std::string(kRelationAlias) + "." + quote_identifier(column));
  }
  return columns;
}

std::string from_relation(const Dataset& dataset) {
  return quote_relation(dataset.relation) + " AS " + kRelationAlias;
}

Result<std::string> key_condition(const Dataset& dataset, std::string_view op, const KeyTuple& key) {
  if (key.size() != dataset.key.size() || key.size() != dataset.key_types.size()) {
    return fail(internal_error("bad_key", "the key " + to_json(key) + " is not one of dataset " + dataset.name));
  }
  std::vector<std::string> literals;
  for (std::size_t i = 0; i < key.size(); ++i) {
    TRY(std::string literal, postgres_literal({.type = dataset.key_types[i], .text = key[i]}));
    literals.push_back(std::move(literal));
  }
  return compare_rows(key_columns(dataset), op, literals);
}

}  // namespace longshore
