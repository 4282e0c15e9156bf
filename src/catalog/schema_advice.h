#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/dataset.h"
#include "model/relation_info.h"

namespace longshore {

/// Whether one unique, whole (not partial) index makes `key` unique: its columns are the key's, or some of them.
bool is_unique_key(const RelationInfo& relation, const std::vector<std::string>& key);

/// Whether an index serves `ORDER BY key` within one tenant: it begins with the key's columns in their order, perhaps
/// after the tenant column.
bool is_ordered_key(const RelationInfo& relation, const std::vector<std::string>& key,
                    const std::string& tenant_column);

/// The statement that makes the index, ready to run.
std::string create_index_statement(const std::string& relation, const std::vector<std::string>& columns, bool unique,
                                   SourceDriver driver);
/// What makes a column NOT NULL.
std::string not_null_advice(const std::string& relation, const std::string& column, SourceDriver driver);

/// `a, b`, each as SQL needs it.
std::string join_identifiers(const std::vector<std::string>& names, SourceDriver driver = SourceDriver::postgres);

}  // namespace longshore
