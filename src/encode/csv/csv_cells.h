#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "encode/text/cell_column.h"
#include "model/export_spec.h"

namespace longshore {

/// The columns of a CSV file with their delimiters. Errors: `unknown_time_zone`, `no_time_zone_database`.
Result<std::vector<CellColumn>> make_csv_columns(const ExportSpec& spec);

/// A header cell: quoted where a text cell would be, never guarded (a name comes from the catalog, not from a user).
std::string csv_header_cell(std::string_view name, char delimiter);

}  // namespace longshore
