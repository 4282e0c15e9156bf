#include "scan/mysql/schema_reader.h"

#include <algorithm>

#include "scan/mysql/literal.h"
#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

/// `TABLE_SCHEMA = … AND TABLE_NAME = …`
std::string is_relation(const std::string& relation) {
  const std::size_t dot = relation.find('.');
  if (dot == std::string::npos) return "TABLE_SCHEMA = DATABASE() AND TABLE_NAME = " + quote_text(relation);
  return "TABLE_SCHEMA = " + quote_text(relation.substr(0, dot)) +
         " AND TABLE_NAME = " + quote_text(relation.substr(dot + 1));
}

int integer_bytes(const std::string& data_type) {
  if (data_type == "tinyint") return 1;
  if (data_type == "smallint") return 2;
  if (data_type == "mediumint") return 3;
  if (data_type == "int") return 4;
  return 8;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

int small_number(const std::optional<std::string>& text) {
  const auto number = text ? parse_int64(*text) : std::nullopt;
  return number && *number >= 0 && *number < 1'000'000 ? static_cast<int>(*number) : 0;
}

Error not_found(const std::string& relation) {
  return user_error("relation_not_found",
                    "there is no relation " + relation + " in the database, or this user may not see it");
}

/// The columns that MariaDB's JSON type made: text with a check that it is JSON. MySQL has a type of its own.
Result<std::vector<std::string>> json_columns(MysqlConnection& connection, const std::string& relation,
                                              const std::vector<MysqlColumn>& columns, const std::stop_token& stop) {
  std::vector<std::string> names;
  if (!connection.is_mariadb()) return names;
  std::string condition = is_relation(relation);
  const std::string schema = "TABLE_SCHEMA";
  condition.replace(condition.find(schema), schema.size(), "CONSTRAINT_SCHEMA");
  TRY(const MysqlRows checks,
      connection.query("SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS WHERE " + condition, stop));
  for (const MysqlColumn& column : columns) {
    const std::string clause = "json_valid(`" + lower(column.name) + "`)";
    const std::string quoted = "json_valid(\"" + lower(column.name) + "\")";  // by ANSI_QUOTES
    for (const auto& row : checks.rows) {
      const std::string said = lower(row[0].value_or(""));
      if (said == clause || said == quoted) names.push_back(column.name);
    }
  }
  return names;
}

}  // namespace

Result<std::vector<MysqlColumn>> read_columns(MysqlConnection& connection, const std::string& relation,
                                              std::stop_token stop) {
  TRY(const MysqlRows result,
      connection.query("SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE, "
                       "CHARACTER_OCTET_LENGTH, IS_NULLABLE FROM information_schema.COLUMNS WHERE " +
                           is_relation(relation) + " ORDER BY ORDINAL_POSITION",
                       stop));
  std::vector<MysqlColumn> columns;
  columns.reserve(result.rows.size());
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    const std::string data_type = lower(result.at(i, 1));
    MysqlColumn column{.name = result.at(i, 0),
                       .spelled = result.at(i, 2),
                       .kind = kind_of(data_type),
                       .is_unsigned = result.at(i, 2).find("unsigned") != std::string::npos,
                       .bytes = small_number(result.rows[i][5]),
                       .precision = small_number(result.rows[i][3]),
                       .scale = small_number(result.rows[i][4]),
                       .nullable = result.at(i, 6) == "YES"};
    if (column.kind == MysqlKind::integer) column.bytes = integer_bytes(data_type);
    columns.push_back(std::move(column));
  }
  if (columns.empty()) return fail(not_found(relation));
  TRY(const auto json, json_columns(connection, relation, columns, stop));
  for (MysqlColumn& column : columns) {
    if (std::ranges::find(json, column.name) != json.end()) {
      column.kind = MysqlKind::json;
      column.spelled = "json";
    }
  }
  return columns;
}

const MysqlColumn* find_column(const std::vector<MysqlColumn>& columns, const std::string& name) {
  const auto found = std::ranges::find_if(
      columns, [wanted = lower(name)](const MysqlColumn& column) { return lower(column.name) == wanted; });
  return found == columns.end() ? nullptr : &*found;
}

Result<RelationInfo> describe_relation(MysqlConnection& connection, const std::string& relation, std::stop_token stop) {
  TRY(const std::vector<MysqlColumn> columns, read_columns(connection, relation, stop));
  RelationInfo info;
  info.name = relation;
  for (const MysqlColumn& column : columns) {
    info.columns.push_back({.name = column.name,
                            .type = exported_type(column),
                            .database_type = column.spelled,
                            .nullable = column.nullable});
  }
  TRY(const MysqlRows about,
      connection.query("SELECT TABLE_TYPE, TABLE_ROWS FROM information_schema.TABLES WHERE " + is_relation(relation),
                       stop));
  if (about.rows.empty()) return fail(not_found(relation));
  info.is_view = about.at(0, 0).find("VIEW") != std::string::npos;
  info.estimated_rows = parse_int64(about.rows[0][1].value_or("0")).value_or(0);

  // A prefix of a column (SUB_PART) sorts by that prefix only; hash, fulltext and spatial indexes do not sort at all.
  TRY(const MysqlRows indexes,
      connection.query("SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME FROM information_schema.STATISTICS s WHERE " +
                           is_relation(relation) +
                           " AND NOT EXISTS (SELECT 1 FROM information_schema.STATISTICS o WHERE o.TABLE_SCHEMA = "
                           "s.TABLE_SCHEMA AND o.TABLE_NAME = s.TABLE_NAME AND o.INDEX_NAME = s.INDEX_NAME AND "
                           "(o.SUB_PART IS NOT NULL OR o.COLUMN_NAME IS NULL OR o.INDEX_TYPE <> 'BTREE')) "
                           "ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX",
                       stop));
  for (std::size_t i = 0; i < indexes.rows.size(); ++i) {
    const std::string& name = indexes.at(i, 0);
    if (info.indexes.empty() || info.indexes.back().name != name) {
      info.indexes.push_back({.name = name,
                              .columns = {},
                              .unique = indexes.at(i, 1) == "0",
                              .partial = false,
                              .primary = name == "PRIMARY"});
    }
    info.indexes.back().columns.push_back(indexes.at(i, 2));
  }
  return info;
}

Result<std::vector<std::string>> list_relations(MysqlConnection& connection, std::stop_token stop) {
  TRY(const MysqlRows result,
      connection.query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND "
                       "TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY BINARY TABLE_NAME",
                       stop));
  std::vector<std::string> names;
  names.reserve(result.rows.size());
  for (std::size_t i = 0; i < result.rows.size(); ++i) names.push_back(result.at(i, 0));
  return names;
}

Result<bool> has_transactions(MysqlConnection& connection, const std::string& relation, const std::stop_token& stop) {
  TRY(const MysqlRows rows,
      connection.query("SELECT e.TRANSACTIONS FROM information_schema.TABLES t JOIN information_schema.ENGINES e ON "
                       "e.ENGINE = t.ENGINE WHERE t.TABLE_TYPE = 'BASE TABLE' AND " +
                           is_relation(relation),
                       stop));
  return rows.rows.size() == 1 && rows.rows[0][0] == "YES";
}

}  // namespace longshore
