#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/export_spec.h"

namespace longshore {

/// Whether the text of a value of this type is as long as what the database stores, and not about the same for all.
bool goes_by_stored_width(LogicalType type);

/// A rough width of one exported row as text, in bytes, with one more for each column's separator; at least 1.
/// `stored` are the columns' average widths in the database where they are known.
std::int64_t estimated_row_width(const std::vector<Column>& columns,
                                 const std::vector<std::optional<std::int64_t>>& stored);

}  // namespace longshore
