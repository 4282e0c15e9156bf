#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/export_spec.h"
#include "model/key.h"

/// The parts of the statements that every reader of a dataset builds, as SQL of PostgreSQL.
namespace longshore {

/// `"tenant_id" = 'x' AND "status" >= '400'::int8 AND …`: the rows that the spec selects. `TRUE` when nothing limits
/// them.
Result<std::string> selection(const ExportSpec& spec);

/// Only the tenant's rows.
Result<std::string> tenant_selection(const ExportSpec& spec);

/// Every statement calls the relation so. Qualified, a key column is never mistaken for the select list's entry of the
/// same name: `SELECT "size"::text … ORDER BY "size"` would sort by the text and not by the column.
inline constexpr const char* kRelationAlias = "r";

/// `"public"."audit_logs" AS r`.
std::string from_relation(const Dataset& dataset);

/// The key columns, `r."id"`.
std::vector<std::string> key_columns(const Dataset& dataset);

/// `(r."a", r."b") > ('x', '5'::int8)`. Errors: `bad_key` when the tuple has another shape than the key.
Result<std::string> key_condition(const Dataset& dataset, std::string_view op, const KeyTuple& key);

}  // namespace longshore
