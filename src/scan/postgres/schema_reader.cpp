#include "scan/postgres/schema_reader.h"

#include <algorithm>

#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

/// A domain may be made of a domain; an array's element may be one too (one step is resolved: enough to know how
/// to_json will write it).
constexpr const char* kColumns = R"(
WITH RECURSIVE resolved AS (
  SELECT a.attnum, a.atttypid AS typid, a.atttypmod AS typmod, a.attnotnull AS not_null, a.attcollation AS collation
    FROM pg_attribute a
   WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT r.attnum, t.typbasetype, CASE WHEN r.typmod >= 0 THEN r.typmod ELSE t.typtypmod END,
         r.not_null OR t.typnotnull, r.collation
    FROM resolved r JOIN pg_type t ON t.oid = r.typid AND t.typtype = 'd')
SELECT a.attname, format_type(a.atttypid, a.atttypmod), format_type(t.oid, -1),
       (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.collname)
          FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = r.collation),
       t.oid, r.typmod,
       CASE WHEN t.typcategory = 'A' AND t.typlen = -1 AND t.typelem <> 0
            THEN (SELECT CASE WHEN e.typtype = 'd' THEN e.typbasetype ELSE e.oid END FROM pg_type e WHERE e.oid = t.typelem)
            ELSE 0 END,
       NOT r.not_null
  FROM resolved r
  JOIN pg_attribute a ON a.attrelid = pg_catalog.to_regclass($1) AND a.attnum = r.attnum
  JOIN pg_type t ON t.oid = r.typid AND t.typtype <> 'd'
 ORDER BY r.attnum)";

/// The plain columns of each index that is valid and has no expression; INCLUDEd columns are no part of its key. An
/// index of a table that others inherit from says nothing of their rows, which are read with it; one of a partitioned
/// table covers its partitions.
constexpr const char* kIndexes = R"(
SELECT c.relname, i.indisunique AND (t.relkind = 'p' OR NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = t.oid)),
       i.indpred IS NOT NULL, i.indisprimary, a.attname
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class t ON t.oid = i.indrelid
  CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS position
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[position]
 WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indexprs IS NULL AND i.indisvalid
 ORDER BY NOT i.indisprimary, c.relname, position)";

/// A partitioned table's own count is only known after a manual ANALYZE: its partitions' are.
constexpr const char* kRelation = R"(
WITH RECURSIVE member(oid) AS (
  SELECT pg_catalog.to_regclass($1)::oid
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_inherits i ON i.inhparent = m.oid)
SELECT c.relkind IN ('v', 'm'),
       (SELECT coalesce(sum(greatest(part.reltuples, 0)), 0)::int8
          FROM member m JOIN pg_class part ON part.oid = m.oid WHERE part.relkind <> 'p')
  FROM pg_class c WHERE c.oid = pg_catalog.to_regclass($1))";

/// Without the copies that running exports read, see copy_mark.h.
constexpr const char* kRelations = R"(
SELECT n.nspname || '.' || c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') NOT LIKE 'Longshore copy: %'
 ORDER BY (n.nspname || '.' || c.relname) COLLATE "C")";

Error not_found(const std::string& relation) {
  return user_error("relation_not_found",
                    "there is no relation " + relation + " in the database, or this user may not see it");
}

}  // namespace

Result<std::vector<PostgresColumn>> read_columns(PostgresConnection& connection, const std::string& relation,
                                                 std::stop_token stop) {
  TRY(const PostgresRows result, connection.query(kColumns, {quote_relation(relation)}, stop));
  std::vector<PostgresColumn> columns;
  columns.reserve(result.rows.size());
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    columns.push_back({.name = result.at(i, 0),
                       .spelled = result.at(i, 1),
                       .base_spelled = result.at(i, 2),
                       .collation = result.rows[i][3].value_or(""),
                       .type = static_cast<PostgresOid>(parse_int64(result.at(i, 4)).value_or(0)),
                       .modifier = static_cast<int>(parse_int64(result.at(i, 5)).value_or(-1)),
                       .element = static_cast<PostgresOid>(parse_int64(result.at(i, 6)).value_or(0)),
                       .nullable = result.at(i, 7) == "t"});
  }
  if (columns.empty()) return fail(not_found(relation));
  return columns;
}

const PostgresColumn* find_column(const std::vector<PostgresColumn>& columns, const std::string& name) {
  const auto found = std::ranges::find(columns, name, &PostgresColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

Result<RelationInfo> describe_relation(PostgresConnection& connection, const std::string& relation,
                                       std::stop_token stop) {
  TRY(const std::vector<PostgresColumn> columns, read_columns(connection, relation, stop));
  RelationInfo info;
  info.name = relation;
  for (const PostgresColumn& column : columns) {
    info.columns.push_back({.name = column.name,
                            .type = exported_type(column),
                            .database_type = column.spelled,
                            .nullable = column.nullable});
  }
  TRY(const PostgresRows about, connection.query(kRelation, {quote_relation(relation)}, stop));
  if (about.rows.empty()) return fail(not_found(relation));
  info.is_view = about.at(0, 0) == "t";
  info.estimated_rows = parse_int64(about.at(0, 1)).value_or(0);

  TRY(const PostgresRows indexes, connection.query(kIndexes, {quote_relation(relation)}, stop));
  for (std::size_t i = 0; i < indexes.rows.size(); ++i) {
    const std::string& name = indexes.at(i, 0);
    if (info.indexes.empty() || info.indexes.back().name != name) {
      info.indexes.push_back({.name = name,
                              .columns = {},
                              .unique = indexes.at(i, 1) == "t",
                              .partial = indexes.at(i, 2) == "t",
                              .primary = indexes.at(i, 3) == "t"});
    }
    info.indexes.back().columns.push_back(indexes.at(i, 4));
  }
  return info;
}

Result<std::vector<std::string>> list_relations(PostgresConnection& connection, std::stop_token stop) {
  TRY(const PostgresRows result, connection.query(kRelations, {}, stop));
  std::vector<std::string> names;
  names.reserve(result.rows.size());
  for (std::size_t i = 0; i < result.rows.size(); ++i) names.push_back(result.at(i, 0));
  return names;
}

}  // namespace longshore
