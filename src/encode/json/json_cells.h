#pragma once

#include "encode/text/cell_column.h"
#include "model/export_spec.h"

namespace longshore {

/// A column of a JSON object. `prefix` gets the member's name and what stands before it (`{` for the first).
CellColumn make_json_column(const Column& column, bool first);

}  // namespace longshore
