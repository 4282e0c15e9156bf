#pragma once

#include <string>
#include <vector>

#include "batch/column_vector.h"
#include "model/chunk_summary.h"
#include "parquet/json_array.h"
#include "parquet/levels.h"
#include "parquet/schema.h"

namespace longshore::parquet {

/// Turns an array column's JSON texts into elements and levels. Not thread-safe.
///
/// An element that its type cannot hold (an infinite date, a word among numbers) becomes a null element; arrays in
/// arrays are flattened, row by row as PostgreSQL stores them; a value that is no JSON array becomes a null list. Each
/// such cell counts as *replaced*. Numbers and objects in a text array are their JSON text, *stringified*.
class ListReader {
 public:
  explicit ListReader(const Leaf& leaf) : leaf_(leaf), elements_(leaf.type) {}

  /// Reads all cells of a batch's column into `levels` and elements().
  void read(const ColumnVector& arrays, ListLevels& levels, ColumnFidelity& fidelity);
  /// The elements that are not null, of the last read().
  const ColumnVector& elements() const { return elements_; }

 private:
  /// Whether it has a value; a null element is no value.
  bool append_element(const JsonElement& element);
  bool append_text_element(const JsonElement& element);
  bool append_number(std::string_view text);

  Leaf leaf_;
  ColumnVector elements_;
  std::vector<JsonElement> found_;
  bool stringified_ = false;  ///< something in the current cell was
};

}  // namespace longshore::parquet
