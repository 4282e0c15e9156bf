#pragma once

#include <string>
#include <string_view>

#include "encode/text/cell_column.h"
#include "model/data_type.h"
#include "model/export_spec.h"

namespace longshore {

/// A column of a CSV file, without its prefix. `single`: the file has no other column.
CellColumn make_csv_column(const Column& column, const CsvOptions& options, bool single);

/// A header cell: quoted where a text cell would be, never guarded (a name comes from the catalog, not from a user).
std::string csv_header_cell(std::string_view name, char delimiter);

}  // namespace longshore
