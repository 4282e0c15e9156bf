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

/// The key columns, quoted.
std::vector<std::string> key_columns(const Dataset& dataset);

/// `("a", "b") > ('x', '5'::int8)`. Errors: `bad_key` when the tuple has another shape than the key.
Result<std::string> key_condition(const Dataset& dataset, std::string_view op, const KeyTuple& key);

}  // namespace longshore
