#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "batch/column_vector.h"
#include "model/key.h"

namespace longshore {

/// Where a batch ends. Evaluated after every row, on the rows alone, never on how a database chose to deliver them:
/// so the same rows make the same batches, and a resumed export makes the same bytes.
struct BatchLimits {
  std::size_t rows = 5000;
  std::size_t bytes = 1 << 20;  ///< of values, see RowBatch::byte_size()
};

/// The contract between scan and encode: some rows of one partition, by column. Filled by a RowSource, read by an
/// encoder, then cleared and filled again.
class RowBatch {
 public:
  explicit RowBatch(const std::vector<DataType>& types);

  std::size_t row_count() const { return rows_; }
  std::size_t column_count() const { return columns_.size(); }
  const ColumnVector& column(std::size_t index) const { return columns_[index]; }
  ColumnVector& column(std::size_t index) { return columns_[index]; }
  /// The key of the last row: where reading resumes after this batch. Empty while there are no rows.
  const KeyTuple& last_key() const { return last_key_; }
  void set_last_key(KeyTuple key) { last_key_ = std::move(key); }

  /// Declares a row complete. REQUIRES: exactly one value or null was appended to every column.
  void finish_row() { ++rows_; }
  /// Bytes of values in all columns, nulls' slots included. REQUIRES: no row is half built.
  std::size_t byte_size() const;
  bool full(const BatchLimits& limits) const { return rows_ >= limits.rows || byte_size() >= limits.bytes; }
  void clear();

 private:
  std::vector<ColumnVector> columns_;
  std::vector<std::size_t> variable_columns_;  ///< indexes of the columns of PhysicalType::bytes
  std::size_t fixed_row_width_ = 0;            ///< bytes that a row takes in all other columns
  std::size_t rows_ = 0;
  KeyTuple last_key_;
};

}  // namespace longshore
