#include "scan/mysql/keyset_query.h"

#include "scan/mysql/literal.h"
#include "scan/mysql/schema_reader.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

Result<const MysqlColumn*> column_of(const std::vector<MysqlColumn>& columns, const std::string& name,
                                     const Dataset& dataset) {
  const MysqlColumn* column = find_column(columns, name);
  if (column != nullptr) return column;
  return fail(source_schema_changed("column \"" + name + "\" is not in relation " + dataset.relation +
                                    " any more; run `longshore catalog check`"));
}

Result<std::string> condition(const Filter& filter, const MysqlColumn& column) {
  const std::string name = "r." + quote_identifier(column.name);
  if (filter.op == FilterOp::is_null) {
    // MySQL takes a NOT NULL date of 0000-00-00 for NULL here, so such columns are not asked at all.
    return column.nullable ? name + " IS NULL" : std::string("FALSE");
  }
  std::vector<std::string> literals;
  for (const Value& value : filter.values) {
    TRY(std::string literal, filter_literal(value, column));
    literals.push_back(std::move(literal));
  }
  if (filter.op == FilterOp::in) {
    if (literals.empty()) return std::string("FALSE");
    return name + " IN (" + join(literals, ", ") + ")";
  }
  if (literals.size() != 1) {
    return fail(
        internal_error("bad_filter", "a comparison of column \"" + filter.column + "\" needs exactly one value"));
  }
  return name + " " + std::string(comparison_operator(filter.op)) + " " + literals[0];
}

bool is_text(MysqlKind kind) {
  return kind == MysqlKind::text || kind == MysqlKind::enumeration || kind == MysqlKind::set || kind == MysqlKind::json;
}

}  // namespace

Result<std::string> tenant_selection(const ExportSpec& spec, const std::vector<MysqlColumn>& columns) {
  const Dataset& dataset = spec.dataset;
  if (dataset.tenant_column.empty()) return std::string("TRUE");
  TRY(const MysqlColumn* column, column_of(columns, dataset.tenant_column, dataset));
  TRY(std::string same, condition({.column = dataset.tenant_column,
                                   .op = FilterOp::eq,
                                   .values = {{.type = dataset.tenant_type, .text = spec.tenant}}},
                                  *column));
  if (is_text(column->kind)) {
    same += " AND CAST(CONVERT(r." + quote_identifier(column->name) +
            " USING utf8mb4) AS BINARY) = " + binary_literal(spec.tenant);
  }
  return same;
}

Result<std::string> selection(const ExportSpec& spec, const std::vector<MysqlColumn>& columns) {
  TRY(std::string where, tenant_selection(spec, columns));
  for (const Filter& filter : spec.filters) {
    TRY(const MysqlColumn* column, column_of(columns, filter.column, spec.dataset));
    TRY(const std::string next, condition(filter, *column));
    where += " AND " + next;
  }
  return where;
}

std::string from_mysql_relation(const Dataset& dataset) {
  return quote_relation(dataset.relation) + " AS r";
}

Result<MysqlKey> MysqlKey::make(const Dataset& dataset, const std::vector<MysqlColumn>& columns) {
  MysqlKey key;
  key.dataset_ = dataset.name;
  for (std::size_t i = 0; i < dataset.key.size(); ++i) {
    TRY(const MysqlColumn* column, column_of(columns, dataset.key[i], dataset));
    key.names_.push_back("r." + quote_identifier(column->name));
    key.columns_.push_back(*column);
    key.wire_.push_back(key_wire_column(*column, dataset.key_types[i]));
  }
  return key;
}

Result<std::string> MysqlKey::compare(const KeyTuple& key, std::string_view strict, std::string_view last) const {
  if (key.size() != columns_.size()) {
    return fail(internal_error("bad_key", "the key " + to_json(key) + " is not one of dataset " + dataset_));
  }
  std::string sql;
  for (std::size_t i = key.size(); i-- > 0;) {
    TRY(const std::string literal, key_literal(key[i], columns_[i]));
    if (sql.empty()) {
      sql = names_[i] + " " + std::string(last) + " " + literal;
    } else {
      sql = join({"(", names_[i], " ", std::string(strict), " ", literal, " OR (", names_[i], " = ", literal, " AND ",
                  sql, "))"},
                 "");
    }
  }
  return sql;
}

Result<std::string> MysqlKey::behind(const KeyTuple& key) const {
  return compare(key, ">", ">");
}
Result<std::string> MysqlKey::up_to(const KeyTuple& key) const {
  return compare(key, "<", "<=");
}
Result<std::string> MysqlKey::before(const KeyTuple& key) const {
  return compare(key, "<", "<");
}

}  // namespace longshore
