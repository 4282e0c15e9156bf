#include "scan/sqlite/schema_reader.h"

#include <algorithm>

#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return result;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

struct RelationName {
  std::string schema = "main";
  std::string table;
};

RelationName split(const std::string& relation) {
  const std::size_t dot = relation.find('.');
  if (dot == std::string::npos) return {.table = relation};
  return {.schema = relation.substr(0, dot), .table = relation.substr(dot + 1)};
}

Result<SqliteStatement> ask(SqliteConnection& connection, const std::string& sql,
                            const std::vector<std::string>& parameters) {
  TRY(SqliteStatement statement, connection.prepare(sql));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    CHECK_OK(statement.bind(static_cast<int>(i) + 1, SqliteValue::of_text(parameters[i])));
  }
  return statement;
}

std::int64_t first_integer(SqliteConnection& connection, const std::string& sql,
                           const std::vector<std::string>& parameters) {
  auto statement = ask(connection, sql, parameters);
  if (!statement) return 0;
  const auto row = statement->step();
  return row && *row ? statement->column(0).integer : 0;
}

/// nullopt: an expression or the rowid is part of it.
Result<std::optional<std::vector<std::string>>> index_columns(SqliteConnection& connection, const RelationName& name,
                                                              const std::string& index) {
  TRY(SqliteStatement rows,
      ask(connection, "SELECT cid, name FROM pragma_index_xinfo(?1, ?2) WHERE key = 1 ORDER BY seqno",
          {index, name.schema}));
  std::vector<std::string> columns;
  while (true) {
    TRY(const bool more, rows.step());
    if (!more) return std::optional(std::move(columns));
    if (rows.column(0).integer < 0) return std::optional<std::vector<std::string>>();
    columns.push_back(rows.text(1));
  }
}

}  // namespace

Result<std::vector<SqliteColumn>> read_columns(SqliteConnection& connection, const std::string& relation) {
  const RelationName name = split(relation);
  // hidden = 1 is a virtual table's own; generated columns (2, 3) are read like any other.
  TRY(SqliteStatement rows,
      ask(connection,
          R"(SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?1, ?2) WHERE hidden <> 1 ORDER BY cid)",
          {name.table, name.schema}));
  std::vector<SqliteColumn> columns;
  while (true) {
    TRY(const bool more, rows.step());
    if (!more) return columns;
    columns.push_back({.name = rows.text(0),
                       .declared = rows.text(1),
                       .not_null = rows.column(2).integer != 0,
                       .primary_position = static_cast<int>(rows.column(3).integer)});
  }
}

bool has_text_affinity(std::string_view declared) {
  const std::string name = upper(declared);
  if (contains(name, "INT")) return false;
  return contains(name, "CHAR") || contains(name, "CLOB") || contains(name, "TEXT");
}

DataType exported_type(std::string_view declared) {
  const std::string name = upper(declared);
  if (name == "INTERVAL") return {.logical = LogicalType::interval};
  if (contains(name, "INT")) return {.logical = LogicalType::int64};
  if (contains(name, "REAL") || contains(name, "FLOA") || contains(name, "DOUB")) {
    return {.logical = LogicalType::float64};
  }
  if (name == "DATETIME") return {.logical = LogicalType::timestamp};
  if (contains(name, "BLOB") || contains(name, "BINARY")) return {.logical = LogicalType::bytea};
  if (const auto type = parse_data_type(declared)) return *type;
  return {.logical = LogicalType::text};
}

Result<RelationInfo> describe_relation(SqliteConnection& connection, const std::string& relation) {
  TRY(const std::vector<SqliteColumn> columns, read_columns(connection, relation));
  if (columns.empty()) {
    return fail(user_error("relation_not_found", "there is no table or view " + relation + " in the database"));
  }
  const RelationName name = split(relation);
  RelationInfo info;
  info.name = relation;
  info.is_view =
      first_integer(connection,
                    "SELECT count(*) FROM pragma_table_list WHERE schema = ?2 AND name = ?1 AND type = 'view'",
                    {name.table, name.schema}) != 0;
  const bool without_rowid =
      first_integer(connection, "SELECT max(wr) FROM pragma_table_list WHERE schema = ?2 AND name = ?1",
                    {name.table, name.schema}) != 0;
  info.estimated_rows = info.is_view ? 0 : rough_row_count(connection, relation);

  TRY(SqliteStatement indexes,
      ask(connection,
          R"(SELECT name, "unique", partial, origin FROM pragma_index_list(?1, ?2) ORDER BY origin <> 'pk', name)",
          {name.table, name.schema}));
  bool primary_index = false;
  while (true) {
    TRY(const bool more, indexes.step());
    if (!more) break;
    IndexInfo index{.name = indexes.text(0),
                    .columns = {},
                    .unique = indexes.column(1).integer != 0,
                    .partial = indexes.column(2).integer != 0,
                    .primary = indexes.text(3) == "pk"};
    primary_index |= index.primary;
    TRY(auto plain, index_columns(connection, name, index.name));
    if (!plain) continue;
    index.columns = *std::move(plain);
    info.indexes.push_back(std::move(index));
  }
  std::string rowid_alias;
  if (!primary_index && !info.is_view) {
    // A primary key without an index is INTEGER PRIMARY KEY: the table itself is sorted by it.
    for (const SqliteColumn& column : columns) {
      if (column.primary_position == 1) rowid_alias = column.name;
    }
    if (!rowid_alias.empty()) {
      info.indexes.insert(
          info.indexes.begin(),
          {.name = "rowid", .columns = {rowid_alias}, .unique = true, .partial = false, .primary = true});
    }
  }
  for (const SqliteColumn& column : columns) {
    // Other primary keys of ordinary tables may hold NULL, which SQLite keeps for compatibility.
    const bool never_null = column.not_null || (column.primary_position > 0 && without_rowid) ||
                            (!rowid_alias.empty() && column.name == rowid_alias);
    info.columns.push_back({.name = column.name,
                            .type = exported_type(column.declared),
                            .database_type = column.declared,
                            .nullable = !never_null});
  }
  return info;
}

Result<std::vector<std::string>> list_relations(SqliteConnection& connection) {
  TRY(SqliteStatement rows, ask(connection,
                                R"(SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
             AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name)",
                                {}));
  std::vector<std::string> names;
  while (true) {
    TRY(const bool more, rows.step());
    if (!more) return names;
    names.push_back(rows.text(0));
  }
}

std::int64_t rough_row_count(SqliteConnection& connection, const std::string& relation) {
  // `stat` begins with the number of rows of the index; both questions fail where the table has no such thing.
  const std::int64_t analyzed = first_integer(
      connection, "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = ?1", {split(relation).table});
  if (analyzed > 0) return analyzed;
  return first_integer(connection, "SELECT max(rowid) FROM " + quote_relation(relation), {});
}

}  // namespace longshore
