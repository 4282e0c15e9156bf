#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/relation_info.h"
#include "scan/sqlite/connection.h"

/// What SQLite knows about its tables.
namespace longshore {

struct SqliteColumn {
  std::string name;
  std::string declared;  ///< the type as written in CREATE TABLE; may be empty
  bool not_null = false;
  int primary_position = 0;  ///< in the primary key, from 1; 0: not in it
};

/// Empty when there is no such relation.
Result<std::vector<SqliteColumn>> read_columns(SqliteConnection& connection, const std::string& relation);

/// Whether a column declared so has TEXT affinity (https://www.sqlite.org/datatype3.html section 3.1).
bool has_text_affinity(std::string_view declared);

/// The type that a column declared so is exported as, by its name and else by its affinity. What SQLite lets a program
/// declare at will (DATETIME, BOOLEAN, JSON, UUID, DECIMAL(12,2)) counts as what it says.
DataType exported_type(std::string_view declared);

/// Errors: `relation_not_found` (user).
Result<RelationInfo> describe_relation(SqliteConnection& connection, const std::string& relation);
Result<std::vector<std::string>> list_relations(SqliteConnection& connection);

/// Rows of the whole relation by sqlite_stat1 or the greatest rowid; 0 when neither is known.
std::int64_t rough_row_count(SqliteConnection& connection, const std::string& relation);

}  // namespace longshore
