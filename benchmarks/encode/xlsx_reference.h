#pragma once

#include <string>
#include <vector>

#include "batch/row_batch.h"

namespace longshore {

/// Writes audit rows (audit_rows.h) as a workbook with libxlsxwriter in constant_memory mode, cells of the same types
/// as ours. Returns whether it could.
bool write_with_libxlsxwriter(const std::string& path, const std::vector<RowBatch>& batches);

}  // namespace longshore
