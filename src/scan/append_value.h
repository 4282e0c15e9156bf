#pragma once

#include <cstdint>
#include <optional>

#include "batch/column_vector.h"

/// Appending what was read to a column; in a header, as every value of every row goes through here.
namespace longshore {

/// Puts an integer into a column of any integer type; false (and nothing appended) when it does not fit.
inline bool append_integer(std::int64_t value, ColumnVector& column) {
  switch (column.type().logical) {
    case LogicalType::int16:
      if (value < INT16_MIN || value > INT16_MAX) return false;
      column.append(static_cast<std::int32_t>(value));
      return true;
    case LogicalType::int32:
      if (value < INT32_MIN || value > INT32_MAX) return false;
      column.append(static_cast<std::int32_t>(value));
      return true;
    default:
      column.append(value);
      return true;
  }
}

/// A value that could be read as the column's type, or could not.
template <class T>
bool append_optional(const std::optional<T>& value, ColumnVector& column) {
  if (!value) return false;
  column.append(*value);
  return true;
}

}  // namespace longshore
