#pragma once

#include <cstring>

#include "batch/column_vector.h"
#include "encode/text/cell_column.h"
#include "encode/text/digits.h"

namespace longshore {

// Cells whose text is the same in every text format and never holds a byte that must be quoted or escaped.
// Inline, so that the writers of a format can be wrapped around them at no cost.

inline char* write_bool_cell(CellColumn& column, std::size_t row, char* out) {
  const bool value = column.value<std::uint8_t>(row) != 0;
  std::memcpy(out, value ? "true\0\0\0" : "false\0\0", 8);
  return out + (value ? 4 : 5);
}

inline char* write_int32_cell(CellColumn& column, std::size_t row, char* out) {
  return write_int64(out, column.value<std::int32_t>(row));
}

inline char* write_int64_cell(CellColumn& column, std::size_t row, char* out) {
  return write_int64(out, column.value<std::int64_t>(row));
}

inline char* write_decimal_cell(CellColumn& column, std::size_t row, char* out) {
  return write_decimal(out, column.value<Int128>(row), column.type.scale);
}

inline char* write_uuid_cell(CellColumn& column, std::size_t row, char* out) {
  return write_uuid(out, reinterpret_cast<const unsigned char*>(column.values) + 16 * row);
}

inline char* write_date_cell(CellColumn& column, std::size_t row, char* out) {
  return write_date(out, column.value<std::int32_t>(row), column.day);
}

inline char* write_time_cell(CellColumn& column, std::size_t row, char* out) {
  return write_time(out, column.value<std::int64_t>(row));
}

inline char* write_timestamp_cell(CellColumn& column, std::size_t row, char* out) {
  return write_timestamp(out, column.value<std::int64_t>(row), false, column.day);
}

inline char* write_timestamptz_cell(CellColumn& column, std::size_t row, char* out) {
  return write_timestamp(out, column.value<std::int64_t>(row), true, column.day);
}

inline char* write_zoned_timestamptz_cell(CellColumn& column, std::size_t row, char* out) {
  return write_zoned_timestamp(out, column.value<std::int64_t>(row), column.zone, column.day);
}

inline char* write_base64_cell(CellColumn& column, std::size_t row, char* out) {
  const std::string_view bytes = column.text(row);
  return write_base64(out, bytes.data(), bytes.size());
}

/// Shortest text that reads back as the same number: fixed notation for exponents from -4 to about the number of
/// digits, else `1e+20`. Valid JSON. REQUIRES: value is finite. Writes at most 32 bytes.
char* write_float(char* out, double value);
char* write_float(char* out, float value);
/// `NaN`, `Infinity` or `-Infinity`. REQUIRES: value is not finite.
char* write_not_a_number(char* out, double value);

}  // namespace longshore
