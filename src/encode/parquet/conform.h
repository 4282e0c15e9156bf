#pragma once

#include "batch/column_vector.h"
#include "model/chunk_summary.h"
#include "parquet/schema.h"

namespace longshore::parquet {

/// Whether Parquet can hold a value of this leaf. It has no infinite dates and times, a time of day ends before 24:00,
/// and a decimal has the digits its type says.
bool fits(const Leaf& leaf, std::int32_t date);
bool fits(const Leaf& leaf, std::int64_t micros);

/// Makes a batch's column into what Parquet can hold: values that do not fit become null, text becomes UTF-8. Counts
/// the values touched as *replaced*. Not thread-safe.
class Conformer {
 public:
  explicit Conformer(const Leaf& leaf);
  /// The column itself if nothing was wrong with it, as is nearly always so; else a copy, valid until the next call.
  /// REQUIRES: `column` has the leaf's type.
  const ColumnVector& conform(const ColumnVector& column, ColumnFidelity& fidelity);

 private:
  bool is_clean(const ColumnVector& column) const;
  void repair(const ColumnVector& column, ColumnFidelity& fidelity);

  Leaf leaf_;
  Int128 decimal_limit_ = 0;  ///< 10^precision
  ColumnVector repaired_;
};

}  // namespace longshore::parquet
