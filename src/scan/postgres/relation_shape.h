#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "scan/postgres/connection.h"

/// What a relation is made of, and what PostgreSQL's statistics know of it.
namespace longshore {

/// A table, or all the tables behind a partitioned or inherited one or behind a view, as pg_class has them.
struct RelationShape {
  char kind = 'r';          ///< pg_class.relkind: `r`, `p`, `v`, `m`, `f`
  std::int64_t tables = 0;  ///< that hold rows, on this server
  std::int64_t foreign_tables = 0;
  std::int64_t unanalysed = 0;     ///< tables with rows that no ANALYZE has seen yet
  std::int64_t pages = 0;          ///< of all tables, now
  std::int64_t pages_known = 0;    ///< …when they were last vacuumed or analysed
  double rows_known = 0;           ///< at that time
  std::int64_t changed_rows = 0;   ///< since they were analysed; 0 on a standby, which does not count them
  bool has_children = false;       ///< partitioned, or inherited from
  bool analysed_as_whole = false;  ///< it has statistics over its children; nothing but a manual ANALYZE makes them

  bool is_view() const { return kind == 'v'; }
  /// Whether statistics of these tables describe what is in them now.
  bool statistics_current() const;
  /// Whether TABLESAMPLE can choose among its pages. A foreign child would be read whole.
  bool can_be_sampled() const { return !is_view() && kind != 'f' && foreign_tables == 0 && pages > 0; }
};

/// Errors: `relation_not_found` (user).
Result<RelationShape> read_relation_shape(PostgresConnection& connection, const std::string& relation,
                                          std::stop_token stop);

/// Values of a column that lie among many rows: histogram bounds and most common values of the relation itself, else of
/// its partitions, or of columns of the same name and type in the tables behind a view. In PostgreSQL's text, in no
/// order, at most some hundreds; often none. They are guesses: the rows need not have them.
Result<std::vector<std::string>> known_values(PostgresConnection& connection, const std::string& relation,
                                              const std::string& column, std::stop_token stop);

}  // namespace longshore
