#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/relation_info.h"

namespace longshore {

// What a schema probably means, told from names. Guesses are for a person to read over.

/// Names in the order of preference; empty when there is none of a fitting type.
std::string guess_tenant_column(const RelationInfo& relation);
std::string guess_time_column(const RelationInfo& relation);
std::string guess_subject_column(const RelationInfo& relation);
/// The primary key, else the shortest unique index, if it can be a keyset; empty when there is none.
std::vector<std::string> guess_key(const RelationInfo& relation);

/// Personal data: e-mail addresses, telephone numbers, names, addresses of people and machines…
bool looks_personal(std::string_view column);
/// Passwords, tokens, keys: never for export.
bool looks_secret(std::string_view column);
/// A column that people filter by: a state, a kind, a reference.
bool looks_like_filter(const RelationInfo& relation, const ColumnInfo& column);

/// `audit_logs` for `Public.Audit-Logs`, not yet in `taken` (to which it is added).
std::string dataset_name(std::string_view relation, std::set<std::string>& taken);
/// `createdAt` for `created_at`, not yet in `taken` (to which it is added).
std::string api_name(std::string_view column, std::set<std::string>& taken);

}  // namespace longshore
