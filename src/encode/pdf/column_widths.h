#pragma once

#include <cstddef>
#include <vector>

#include "model/export_spec.h"
#include "pdf/font_set.h"
#include "pdf/report_column.h"

namespace longshore {

/// What widths suit a column, in kUnitsPerEm of the font size. least <= ideal <= natural.
struct ColumnWidths {
  int least = 0;    ///< narrower, and even what should stay whole is broken
  int ideal = 0;    ///< most cells take one line, long text a few
  int natural = 0;  ///< the widest seen fits into one line
};

/// Measures the headers and a sample of the `rows` rows that the columns are bound to.
std::vector<ColumnWidths> measure_columns(std::vector<ReportColumn>& columns, std::size_t rows, const FontSet& fonts);

}  // namespace longshore
