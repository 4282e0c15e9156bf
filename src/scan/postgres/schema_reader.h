#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/relation_info.h"
#include "scan/postgres/column_type.h"
#include "scan/postgres/connection.h"

/// What pg_catalog says about relations.
namespace longshore {

/// The relation's columns in order, domains resolved. Errors: `relation_not_found` (user).
Result<std::vector<PostgresColumn>> read_columns(PostgresConnection& connection, const std::string& relation,
                                                 std::stop_token stop);
/// nullptr when there is none of that name.
const PostgresColumn* find_column(const std::vector<PostgresColumn>& columns, const std::string& name);

/// Columns, indexes and size of a relation. Errors: `relation_not_found` (user).
Result<RelationInfo> describe_relation(PostgresConnection& connection, const std::string& relation,
                                       std::stop_token stop);
/// Tables, partitioned tables (not their partitions), materialized views and foreign tables outside system schemas;
/// none of Longshore's own copies.
Result<std::vector<std::string>> list_relations(PostgresConnection& connection, std::stop_token stop);

}  // namespace longshore
