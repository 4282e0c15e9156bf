#include "xlsx/sheet_layout.h"

#include <string>

#include "xlsx/partition_detail.h"

namespace longshore {
namespace {

constexpr std::int64_t kFirstDataRow = 2;

/// What a sheet holds while it is filled. The same rule for counts and for partitions.
struct OpenSheet {
  std::int64_t rows = 0;
  std::int64_t raw_bytes = 0;
  std::int64_t bytes = 0;

  bool fits(const OpenSheet& next, const XlsxLimits& limits) const {
    return rows == 0 || (rows + next.rows <= limits.rows_per_sheet &&
                         raw_bytes + next.raw_bytes <= limits.sheet_bytes && bytes + next.bytes <= limits.sheet_bytes);
  }
  void add(const OpenSheet& next) {
    rows += next.rows;
    raw_bytes += next.raw_bytes;
    bytes += next.bytes;
  }
};

Error rows_changed(std::size_t partition) {
  return external_error("xlsx_rows_changed",
                        "the rows of partition " + std::to_string(partition) +
                            " do not follow those before it: their number changed while they were read, or they need "
                            "more sheets than planned; export again, with fewer columns if it happens again",
                        false);
}

}  // namespace

Result<std::vector<SheetSpan>> lay_out_sheets(const std::vector<EncodedPartition>& partitions,
                                              const XlsxLimits& limits) {
  std::vector<SheetSpan> sheets(1);
  OpenSheet open;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const ChunkSummary& summary = partitions[i].summary;
    const OpenSheet next{summary.rows, summary.raw_bytes, partitions[i].bytes};
    if (next.rows > 0) {
      const std::uint32_t numbered = first_row_of(summary.detail);
      const bool begins = !open.fits(next, limits) || (numbered == kFirstDataRow && open.rows > 0);
      if (begins) {
        sheets.push_back({i, i, 0});
        open = {};
      }
      if (numbered != 0 && numbered != open.rows + kFirstDataRow) return fail(rows_changed(i));
      if (open.rows + next.rows > limits.rows_per_sheet) return fail(rows_changed(i));
    }
    open.add(next);
    sheets.back().rows += next.rows;
    sheets.back().end = i + 1;
  }
  if (sheets.size() > static_cast<std::size_t>(limits.max_sheets)) {
    return fail(external_error("xlsx_too_many_rows",
                               "the workbook would need " + std::to_string(sheets.size()) + " sheets of up to " +
                                   std::to_string(limits.rows_per_sheet) + " rows; " +
                                   std::to_string(limits.max_sheets) +
                                   " are allowed. Export fewer rows or columns, or use CSV or Parquet",
                               false));
  }
  return sheets;
}

std::uint32_t planned_first_row(const PartitionPlace& place, const XlsxLimits& limits) {
  OpenSheet open;
  const auto put = [&](std::int64_t rows) {
    const OpenSheet next{rows, 0, 0};
    if (!open.fits(next, limits)) open = {};
    open.add(next);
  };
  for (const std::int64_t rows : place.rows_before) put(rows);
  if (!open.fits({place.rows, 0, 0}, limits)) open = {};
  return static_cast<std::uint32_t>(open.rows + kFirstDataRow);
}

}  // namespace longshore
