#include "batch/row_batch.h"

namespace longshore {

RowBatch::RowBatch(const std::vector<DataType>& types) {
  columns_.reserve(types.size());
  for (const DataType& type : types) {
    const ColumnVector& column = columns_.emplace_back(type);
    if (column.physical() == PhysicalType::bytes) {
      variable_columns_.push_back(columns_.size() - 1);
    } else {
      fixed_row_width_ += value_width(column.physical());
    }
  }
}

std::size_t RowBatch::byte_size() const {
  // Asked after every row, so only the columns whose length is not known beforehand are looked at.
  std::size_t total = rows_ * fixed_row_width_;
  for (const std::size_t index : variable_columns_) total += columns_[index].byte_size();
  return total;
}

void RowBatch::clear() {
  for (ColumnVector& column : columns_) column.clear();
  rows_ = 0;
  last_key_.clear();
}

}  // namespace longshore
