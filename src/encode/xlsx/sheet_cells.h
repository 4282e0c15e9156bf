#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/time_zone.h"
#include "encode/text/calendar.h"
#include "model/chunk_summary.h"
#include "model/export_spec.h"
#include "xlsx/cell_styles.h"

namespace longshore {

struct SheetColumn;

/// Writes a value that is not NULL: what follows `<c` and the cell's reference, to the end of the cell. Returns its
/// end; may leave up to kSheetCellOvershoot bytes of rubbish behind it.
using SheetCellWriter = char* (*)(SheetColumn& column, std::size_t row, char* out);

inline constexpr std::size_t kSheetCellOvershoot = 64;
/// What a cell takes at most besides kXmlTextGrowth times its text: its tags, or a value of fixed width as text.
inline constexpr std::size_t kSheetCellBytes = 128;

/// One exported column while it is being written. Owned and used by one encoder.
struct SheetColumn {
  /// Text in a fixed field that is copied whole, whatever its length.
  struct Field {
    char text[16] = {};
    std::uint8_t size = 0;

    void set(std::string_view word) { size = static_cast<std::uint8_t>(word.copy(text, sizeof text)); }
    char* write(char* out) const {
      std::memcpy(out, text, sizeof text);
      return out + size;
    }
  };

  // Set once.
  DataType type;
  SheetCellWriter write = nullptr;
  Field open;        ///< `<c r="AB`, or `<c` where rows have no numbers
  Field number;      ///< from the reference to the number: ` s="3"><v>`
  Field fractional;  ///< the same for a time with a fraction of a second
  LocalTime zone;    ///< of timestamptz values; remembers an offset

  // Set for each batch.
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

/// A column without its `open`. `zone`: how timestamptz values are shown.
SheetColumn make_sheet_column(const DataType& type, const CellStyles& styles, const TimeZone& zone);

/// A text cell of its own, from `<c` to its end: a header. `reference`: `B1`. Text over kMaxCellUnits is cut.
std::string header_cell(std::string_view text, std::string_view reference, int style);

/// `A` for 0, `Z` for 25, `AA` for 26.
std::string column_letters(std::size_t index);

}  // namespace longshore
