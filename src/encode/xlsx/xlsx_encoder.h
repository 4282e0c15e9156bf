#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "encode/compress/chunk_deflater.h"
#include "encode/encoder.h"
#include "xlsx/sheet_cells.h"
#include "xlsx/xlsx_format.h"

namespace longshore {

/// Writes `<row>` elements and deflates them. Every batch with rows closes a chunk, which refers to nothing before it.
///
/// Rows are numbered (`r` of row and cells) where the number of the partition's first row is known; NULL cells are then
/// left out. Else rows follow each other without numbers, and a NULL is an empty cell that keeps the columns aligned.
class XlsxEncoder final : public PartitionEncoder {
 public:
  /// `first_row`: number of the partition's first row in its sheet; 0: unknown. `before`: see Format::make_encoder().
  XlsxEncoder(std::vector<SheetColumn> columns, const XlsxLimits& limits, std::uint32_t first_row,
              const ChunkSummary& before);

  /// Errors: `xlsx_partition_too_large` (external) when the partition does not fit a sheet; `batch_shape` (internal).
  Result<std::optional<ChunkSummary>> encode(const RowBatch& batch, ByteBuffer& out) override;
  Result<std::optional<ChunkSummary>> finish(ByteBuffer& out) override;

 private:
  Status bind(const RowBatch& batch);
  Status check_limits(std::int64_t rows, std::int64_t bytes) const;
  std::size_t loose_bound(std::size_t first, std::size_t last) const;
  std::size_t careful_bound(std::size_t row) const;
  void write_block(std::size_t first, std::size_t last);
  void write_rows(std::size_t first, std::size_t last, std::size_t room);
  char* begin_row(char* out);

  std::vector<SheetColumn> columns_;
  XlsxLimits limits_;
  std::uint32_t first_row_;
  std::int64_t rows_;              ///< of the partition so far
  std::int64_t raw_bytes_;         ///< of the partition so far
  SheetColumn::Field row_number_;  ///< of the row being written, with the quote behind it: `12345"`
  ByteBuffer raw_;                 ///< XML that is not deflated yet
  ChunkDeflater deflater_;
};

}  // namespace longshore
