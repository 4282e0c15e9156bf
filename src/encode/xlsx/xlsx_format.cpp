#include "xlsx/xlsx_format.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/time_zone.h"
#include "xlsx/cell_styles.h"
#include "xlsx/partition_detail.h"
#include "xlsx/sheet_cells.h"
#include "xlsx/sheet_layout.h"
#include "xlsx/workbook_frame.h"
#include "xlsx/xlsx_encoder.h"

namespace longshore {
namespace {

Status check_columns(const ExportSpec& spec) {
  if (spec.columns.size() <= kXlsxMaxColumns) return {};
  return fail(
      user_error("xlsx_too_many_columns", "a sheet holds " + std::to_string(kXlsxMaxColumns) + " columns, and " +
                                              std::to_string(spec.columns.size()) +
                                              " were asked for; name fewer in `columns`, or use CSV or Parquet"));
}

Result<std::unique_ptr<PartitionEncoder>> make_xlsx_encoder(const ExportSpec& spec, const ChunkSummary& before,
                                                            std::uint32_t first_row, const XlsxLimits& limits) {
  CHECK_OK(check_columns(spec));
  TRY(const TimeZone zone, TimeZone::find(spec.time_zone));
  const CellStyles styles(spec.columns);
  std::vector<SheetColumn> columns;
  columns.reserve(spec.columns.size());
  for (const Column& column : spec.columns) columns.push_back(make_sheet_column(column.type, styles, zone));
  // A resumed partition goes on as it began.
  if (before.rows > 0) first_row = first_row_of(before.detail);
  return std::make_unique<XlsxEncoder>(std::move(columns), limits, first_row, before);
}

}  // namespace

XlsxFormat::XlsxFormat(XlsxLimits limits) : limits_(limits) {
  traits_.name = "xlsx";
  traits_.extension = "xlsx";
  traits_.content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
  traits_.compressible = false;
  traits_.streamable = false;
  traits_.max_rows = limits.max_sheets * limits.rows_per_sheet;
  traits_.sheet_rows = limits.rows_per_sheet;
  traits_.max_partition_rows = limits.rows_per_sheet;
  traits_.size_factor = 0.3;                       // 0.45 with row numbers
  traits_.encoder_memory = std::int64_t{3} << 20;  // undeflated XML (2 MiB at most is kept) and the deflater's tables
}

Result<std::unique_ptr<PartitionEncoder>> XlsxFormat::make_encoder(const ExportSpec& spec,
                                                                   const ChunkSummary& before) const {
  return make_xlsx_encoder(spec, before, 0, limits_);
}

Result<std::unique_ptr<PartitionEncoder>> XlsxFormat::make_encoder_at(const ExportSpec& spec,
                                                                      const ChunkSummary& before,
                                                                      const PartitionPlace& place) const {
  return make_xlsx_encoder(spec, before, planned_first_row(place, limits_), limits_);
}

Result<std::unique_ptr<FileFrame>> XlsxFormat::make_frame(const ExportSpec& spec) const {
  CHECK_OK(check_columns(spec));
  return std::make_unique<WorkbookFrame>(spec, limits_);
}

}  // namespace longshore
