#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "batch/row_batch.h"
#include "model/export_spec.h"

namespace longshore {

/// How many characters wide each column's widest cell of the batch is shown, at most 255. Wide (East Asian) characters
/// count twice.
std::vector<std::uint8_t> measure_widths(const RowBatch& batch);

/// The width to give a column, in characters of the default font (ECMA-376 part 1, section 18.3.1.13): that of its
/// header with a filter button, or of its cells if that is more, within limits that keep a sheet readable.
double column_width(std::string_view header, std::uint8_t measured);

}  // namespace longshore
