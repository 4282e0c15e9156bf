#pragma once

#include <string>
#include <string_view>

#include "batch/column_vector.h"
#include "scan/postgres/column_type.h"

/// One value from a COPY stream into a column. Pure functions; false when the value is not of its kind or does not fit
/// the column's type, in which case nothing was appended.
namespace longshore {

/// REQUIRES: the column's type is one that wire_column() allows for `kind`.
bool append_binary(WireKind kind, std::string_view field, ColumnVector& column);
/// `field` with the escapes of COPY's text format.
bool append_text_format(WireKind kind, std::string_view field, ColumnVector& column);

/// Undoes the escapes of COPY's text format (`\t`, `\\`, …).
std::string unescape_copy_text(std::string_view field);

/// numeric's binary form to exact text, `NaN` and infinities included. Empty when it is malformed.
std::string numeric_text(std::string_view field);
/// numeric's binary form to an integer scaled by 10^scale; false when it does not fit numeric(precision, scale).
bool numeric_decimal(std::string_view field, int precision, int scale, Int128& value);

}  // namespace longshore
