#include "scan/postgres/relation_shape.h"

#include <utility>

#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

/// The relation, its children by inheritance or partitioning, and what a view reads. A table that is reached on two
/// ways is one member.
constexpr const char* kMembers = R"(
WITH RECURSIVE member(oid, kind) AS (
  SELECT c.oid, c.relkind FROM pg_class c WHERE c.oid = pg_catalog.to_regclass($1)
  UNION
  SELECT c.oid, c.relkind
    FROM member m
    CROSS JOIN LATERAL (
      SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = m.oid
      UNION
      SELECT d.refobjid
        FROM pg_rewrite w
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class
       WHERE w.ev_class = m.oid AND m.kind = 'v') child(oid)
    JOIN pg_class c ON c.oid = child.oid)
)";

constexpr const char* kShape = R"(
SELECT (SELECT relkind FROM pg_class WHERE oid = pg_catalog.to_regclass($1)),
       count(*) FILTER (WHERE m.kind IN ('r', 'm')),
       count(*) FILTER (WHERE m.kind = 'f'),
       count(*) FILTER (WHERE m.kind IN ('r', 'm') AND size.pages > 0 AND (c.reltuples < 0 OR c.relpages = 0)),
       coalesce(sum(size.pages), 0)::int8,
       coalesce(sum(c.relpages) FILTER (WHERE m.kind IN ('r', 'm')), 0)::int8,
       coalesce(sum(greatest(c.reltuples, 0)) FILTER (WHERE m.kind IN ('r', 'm')), 0)::int8,
       coalesce(sum(pg_stat_get_mod_since_analyze(c.oid)) FILTER (WHERE m.kind IN ('r', 'm')), 0)::int8,
       EXISTS (SELECT FROM pg_inherits WHERE inhparent = pg_catalog.to_regclass($1)),
       EXISTS (SELECT FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname
                 JOIN pg_class r ON r.relnamespace = n.oid AND r.relname = s.tablename
                WHERE r.oid = pg_catalog.to_regclass($1) AND s.inherited)
  FROM member m
  JOIN pg_class c ON c.oid = m.oid
  CROSS JOIN LATERAL (
    SELECT CASE WHEN m.kind IN ('r', 'm') THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 END AS pages)
    size)";

/// The values of one table's histogram, or, of a great many tables, every so many of each.
constexpr const char* kKnownValues = R"(,
statistics AS (
  SELECT s.histogram_bounds::text::text[] AS bounds, s.most_common_vals::text::text[] AS common,
         s.inherited AND c.oid = pg_catalog.to_regclass($1) AS whole
    FROM member m
    JOIN pg_class c ON c.oid = m.oid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = $2
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $2
    JOIN pg_attribute own ON own.attrelid = pg_catalog.to_regclass($1) AND own.attname = $2
                         AND own.atttypid = a.atttypid AND own.attcollation = a.attcollation),
chosen AS (SELECT bounds, common FROM statistics WHERE whole OR NOT EXISTS (SELECT FROM statistics WHERE whole)),
listed AS (
  SELECT value, position FROM chosen CROSS JOIN LATERAL unnest(bounds) WITH ORDINALITY AS each(value, position)
  UNION ALL
  SELECT value, position FROM chosen CROSS JOIN LATERAL unnest(common) WITH ORDINALITY AS each(value, position))
SELECT DISTINCT value FROM listed WHERE value IS NOT NULL AND position % ((SELECT count(*) FROM listed) / 400 + 1) = 0)";

}  // namespace

bool RelationShape::statistics_current() const {
  if (unanalysed > 0 || foreign_tables > 0) return false;
  // A fifth, as autovacuum itself waits for a tenth of the rows to change; and small tables grow in leaps.
  return pages <= pages_known + pages_known / 5 + 16 && static_cast<double>(changed_rows) <= rows_known * 0.2 + 1000;
}

Result<RelationShape> read_relation_shape(PostgresConnection& connection, const std::string& relation,
                                          std::stop_token stop) {
  TRY(const PostgresRows rows,
      connection.query(std::string(kMembers) + kShape, {quote_relation(relation)}, std::move(stop)));
  const auto& row = rows.rows.front();
  if (!row[0] || row[0]->empty()) {
    return fail(user_error("relation_not_found",
                           "there is no relation " + relation + " in the database, or this user may not see it"));
  }
  const auto number = [&](std::size_t column) { return parse_int64(row[column].value_or("")).value_or(0); };
  RelationShape shape;
  shape.kind = row[0]->front();
  shape.tables = number(1);
  shape.foreign_tables = number(2);
  shape.unanalysed = number(3);
  shape.pages = number(4);
  shape.pages_known = number(5);
  shape.rows_known = static_cast<double>(number(6));
  shape.changed_rows = number(7);
  shape.has_children = row[8] == "t";
  shape.analysed_as_whole = row[9] == "t";
  return shape;
}

Result<std::vector<std::string>> known_values(PostgresConnection& connection, const std::string& relation,
                                              const std::string& column, std::stop_token stop) {
  TRY(const PostgresRows rows,
      connection.query(std::string(kMembers) + kKnownValues, {quote_relation(relation), column}, std::move(stop)));
  std::vector<std::string> values;
  values.reserve(rows.rows.size());
  for (std::size_t i = 0; i < rows.rows.size(); ++i) values.push_back(rows.at(i, 0));
  return values;
}

}  // namespace longshore
