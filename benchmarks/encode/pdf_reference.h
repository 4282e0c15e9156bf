#pragma once

#include <cstddef>
#include <vector>

#include "batch/row_batch.h"
#include "model/dataset.h"

namespace longshore {

/// A table as both sides draw it, and how wide libharu draws each column, in points.
struct ReferenceTable {
  const std::vector<Column>& columns;
  const std::vector<RowBatch>& batches;
  const std::vector<float>& widths;
  bool landscape = false;
};

/// Draws the table with libharu: A4, DejaVu Sans embedded, compressed, a title, a repeated header row, striped rows of
/// 15 points, long text broken into at most six lines, page numbers. Returns the size of the file, 0 when it failed.
std::size_t draw_with_libharu(const ReferenceTable& table);

}  // namespace longshore
