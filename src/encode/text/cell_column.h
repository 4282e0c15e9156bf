#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time_zone.h"
#include "encode/text/byte_scan.h"
#include "encode/text/calendar.h"
#include "model/chunk_summary.h"
#include "model/data_type.h"

namespace longshore {

struct CellColumn;

/// Writes the cell of one row at `out` and returns its end. May leave up to kCellOvershoot bytes of rubbish behind that
/// end, which the next cell overwrites. One function for each type, chosen once per column: the row loop calls through
/// these pointers in the same order for every row, which branch predictors learn at once.
using CellWriter = char* (*)(CellColumn& column, std::size_t row, char* out);

inline constexpr std::size_t kCellOvershoot = 64;
/// What a cell of any fixed-width type takes at most: text, quotes, and the 16 bytes that short copies round up to.
inline constexpr std::size_t kFixedCellBytes = 64;

/// The two writers of a type: one for batches without nulls in the column, one that looks at the bitmap first.
struct CellWriters {
  CellWriter plain = nullptr;
  CellWriter nullable = nullptr;
};

/// One exported column while it is being written: what the format decided about it, where the current batch's values
/// lie, and what happened to them. Owned and used by one RowEncoder.
struct CellColumn {
  // Set once.
  DataType type;
  std::string name;
  std::string prefix;           ///< what stands before the cell: a delimiter, or `,"name":`
  std::size_t prefix_size = 0;  ///< of `prefix` before RowEncoder padded it
  CellWriters writers;
  std::size_t growth = 0;                    ///< bytes out per byte in at worst; 0 for fixed-width types
  char delimiter = ',';                      ///< CSV
  bool guard = false;                        ///< CSV: put `'` before text that a spreadsheet would take for a formula
  const std::uint8_t* first_byte = nullptr;  ///< CSV: 256 entries, not 0 where a first byte wants a closer look
  ScanFunctions scan{};
  LocalTime zone;  ///< of timestamptz values; remembers an offset

  // Set for each batch.
  CellWriter write = nullptr;
  const char* values = nullptr;
  const char* values_end = nullptr;
  const std::int32_t* offsets = nullptr;
  const std::uint8_t* validity = nullptr;

  // State.
  DayText day;
  ColumnFidelity fidelity;
  std::string repaired;  ///< scratch for text that was not UTF-8

  template <class T>
  T value(std::size_t row) const {
    T result;
    std::memcpy(&result, values + row * sizeof(T), sizeof(T));
    return result;
  }
  std::string_view text(std::size_t row) const {
    return {values + offsets[row], static_cast<std::size_t>(offsets[row + 1] - offsets[row])};
  }
  bool valid(std::size_t row) const { return ((validity[row >> 3] >> (row & 7)) & 1) != 0; }
};

}  // namespace longshore
