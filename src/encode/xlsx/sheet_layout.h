#pragma once

#include <cstdint>
#include <vector>

#include "encode/encoder.h"
#include "xlsx/xlsx_format.h"

namespace longshore {

/// The partitions that make one sheet.
struct SheetSpan {
  std::size_t first = 0;  ///< partition that opens the sheet; 0 for the first sheet even when that one has no rows
  std::size_t end = 0;    ///< behind its last one
  std::int64_t rows = 0;
};

/// Which partitions go on which sheet: as many as fit, in order. One sheet without rows when there are none. A
/// partition whose rows are numbered stands where its number says.
///
/// Errors: `xlsx_too_many_rows` (external) when more sheets are needed than allowed; `xlsx_rows_changed` (external)
/// when a numbered partition does not follow the one before it, as happens when it was numbered by a count that did not
/// hold.
Result<std::vector<SheetSpan>> lay_out_sheets(const std::vector<EncodedPartition>& partitions,
                                              const XlsxLimits& limits);

/// The number that lay_out_sheets() will give the first row of a partition, from counts alone.
std::uint32_t planned_first_row(const PartitionPlace& place, const XlsxLimits& limits);

}  // namespace longshore
