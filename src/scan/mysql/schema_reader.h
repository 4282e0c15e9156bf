#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/relation_info.h"
#include "scan/mysql/column_type.h"
#include "scan/mysql/connection.h"

/// What information_schema says about relations. `table` is one of the connection's database, `other.table` of another.
namespace longshore {

/// The relation's columns in order. Errors: `relation_not_found` (user).
Result<std::vector<MysqlColumn>> read_columns(MysqlConnection& connection, const std::string& relation,
                                              std::stop_token stop);
/// nullptr when there is none of that name; case counts for nothing, as in MySQL.
const MysqlColumn* find_column(const std::vector<MysqlColumn>& columns, const std::string& name);

/// Whether the relation is a table of an engine that has transactions. False, too, when it is not there.
Result<bool> has_transactions(MysqlConnection& connection, const std::string& relation, const std::stop_token& stop);

/// Columns, indexes and size of a relation. Errors: `relation_not_found` (user).
Result<RelationInfo> describe_relation(MysqlConnection& connection, const std::string& relation, std::stop_token stop);
/// The tables of the connection's database.
Result<std::vector<std::string>> list_relations(MysqlConnection& connection, std::stop_token stop);

}  // namespace longshore
