#pragma once

#include <memory>
#include <string>
#include <vector>

#include "encode/encoder.h"
#include "encode/text/cell_column.h"

namespace longshore {

/// The row loop that all text formats share: for every row, prefix and cell of every column, then the row's end. What
/// makes a format lies in the columns it was given. Every batch with rows closes a chunk, so any batch border is a
/// place to cut a file or to resume with a fresh encoder.
class RowEncoder final : public PartitionEncoder {
 public:
  /// `skipped`: how many bytes of the first row's first prefix are left out, for formats that put something between
  /// rows. REQUIRES: each column has its `type`, `name`, `prefix`, `writers` and `growth`.
  RowEncoder(std::vector<CellColumn> columns, std::string row_end, std::size_t skipped = 0);

  /// Errors: `batch_shape` (internal) when the batch does not have the columns' types.
  Result<std::optional<ChunkSummary>> encode(const RowBatch& batch, ByteBuffer& out) override;
  Result<std::optional<ChunkSummary>> finish(ByteBuffer& out) override;

 private:
  Status bind(const RowBatch& batch);
  std::size_t bound(std::size_t first, std::size_t last) const;
  std::size_t careful_bound(std::size_t row) const;
  void write_rows(std::size_t first, std::size_t last, std::size_t room, ByteBuffer& out);

  std::vector<CellColumn> columns_;
  std::string row_end_;
  std::size_t skipped_;      ///< 0 once the first row is written
  std::size_t fixed_bytes_;  ///< bound of a row, apart from the variable-width values
};

}  // namespace longshore
