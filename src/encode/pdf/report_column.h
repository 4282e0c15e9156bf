#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time_zone.h"
#include "batch/row_batch.h"
#include "encode/text/cell_column.h"
#include "model/chunk_summary.h"
#include "model/export_spec.h"

namespace longshore {

/// Bytes of a cell that are looked at; more than six lines never show.
inline constexpr std::size_t kMaxShownBytes = 8192;

struct ReportColumn;
/// The text of a cell that is not NULL, valid until the next call for the column. Raw: it may hold any bytes.
using CellText = std::string_view (*)(ReportColumn& column, std::size_t row);

/// One exported column as text: spelled as in CSV, but for times, which stand in the report's time zone with a blank
/// between date and time.
struct ReportColumn {
  CellColumn cell;
  LocalTime time;
  bool numeric = false;  ///< set to the right
  bool plain = false;    ///< printable ASCII without PDF's special characters, always
  bool digits = false;   ///< integers and numeric(p,s): digits, perhaps a sign and a point
  bool wraps = false;    ///< made to be broken into lines: text, json, arrays, bytes
  CellText text = nullptr;
  std::string scratch;
  ColumnFidelity fidelity;

  bool is_null(std::size_t row) const { return cell.validity != nullptr && !cell.valid(row); }
};

/// Whether values of a type are set to the right.
bool is_numeric(const DataType& type);

/// Errors: those of TimeZone::find().
Result<std::vector<ReportColumn>> make_report_columns(const ExportSpec& spec);

/// Points the columns at a batch's values. Errors: `batch_shape` (internal) when types or sizes are not the columns'.
Status bind(std::vector<ReportColumn>& columns, const RowBatch& batch);

/// `2026-06-06 16:20:00+02`; without an offset in UTC. Writes at most 48 bytes.
char* write_local_timestamp(char* out, std::int64_t micros, LocalTime& time, DayText& day);

}  // namespace longshore
