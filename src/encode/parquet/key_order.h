#pragma once

#include <vector>

#include "batch/row_batch.h"
#include "model/export_spec.h"

namespace longshore::parquet {

/// The exported columns, by their indexes, that rows come sorted by: the key of the dataset as far as it is exported.
/// The tenant's column is passed over, because it is the same in all rows. It ends before a key column that is not
/// exported or whose type a database may order otherwise than Parquet does: text, above all, follows collations.
std::vector<int> sorting_columns(const ExportSpec& spec);

/// Watches whether the rows of a row group really ascend by some columns, so that the file claims nothing else.
class KeyOrder {
 public:
  KeyOrder(const ExportSpec& spec, std::vector<int> columns);

  void add(const RowBatch& batch);
  /// Whether all rows since the last reset() ascend.
  bool ascending() const { return ascending_; }
  void reset();

 private:
  bool follows_row(const RowBatch& batch, std::size_t row) const;

  std::vector<int> columns_;
  RowBatch last_row_;  ///< of the batch before, or empty
  bool ascending_ = true;
};

}  // namespace longshore::parquet
