#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/byte_buffer.h"
#include "batch/column_vector.h"

namespace longshore::parquet {

/// The definition levels of a column without lists: one bit a row, set where there is a value. A batch's validity
/// bitmap is in Parquet's bit order already.
class ValidityLevels {
 public:
  void append(const ColumnVector& column);
  /// Of the open page.
  std::size_t rows() const { return rows_; }
  std::size_t nulls() const { return nulls_; }
  std::size_t held_bytes() const { return bits_.size(); }
  /// Appends the open page's levels to `body` and begins the next page.
  void close_page(ByteBuffer& body);

 private:
  void fill_with_ones();

  std::vector<std::uint8_t> bits_;  ///< empty as long as there are no nulls
  std::size_t rows_ = 0;
  std::size_t nulls_ = 0;
};

/// The levels of a list column (LogicalTypes.md, "Lists"), one entry for each element, and one for each list that has
/// none.
class ListLevels {
 public:
  void add_null_list() { add(0, 0); }
  void add_empty_list() { add(0, 1); }
  /// `first`: it begins a row.
  void add_element(bool first, bool null) { add(first ? 0 : 1, null ? 2 : 3); }

  std::size_t rows() const { return rows_; }
  std::size_t entries() const { return definition_.size(); }
  /// Entries that carry no value.
  std::size_t nulls() const { return nulls_; }
  std::size_t held_bytes() const { return 4 * entries(); }
  void close_page(ByteBuffer& body);

 private:
  void add(std::uint16_t repetition, std::uint16_t definition) {
    repetition_.push_back(repetition);
    definition_.push_back(definition);
    rows_ += repetition == 0 ? 1 : 0;
    nulls_ += definition == 3 ? 0 : 1;
  }

  std::vector<std::uint16_t> repetition_;
  std::vector<std::uint16_t> definition_;
  std::size_t rows_ = 0;
  std::size_t nulls_ = 0;
};

}  // namespace longshore::parquet
