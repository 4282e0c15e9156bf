#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "encode/text/cell_column.h"
#include "model/export_spec.h"

namespace longshore {

/// The columns of a row that is a JSON object; the `}` that ends it is not among them. `prefix` of each is the member's
/// name and what stands before it: `row_begin` and `{`, or a comma.
/// Errors: `unknown_time_zone`, `no_time_zone_database`.
Result<std::vector<CellColumn>> make_json_columns(const ExportSpec& spec, std::string_view row_begin);

}  // namespace longshore
