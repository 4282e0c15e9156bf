#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "batch/row_batch.h"
#include "scan/mysql/column_type.h"

namespace longshore {

/// Turns the text of rows into the rows of a RowBatch. Not thread-safe.
class MysqlRowDecoder {
 public:
  /// `columns` in the order of the SELECT list: first those that go to the batch, then the key's.
  /// `zero_dates_are_null`: 0000-00-00 becomes null instead of an error.
  MysqlRowDecoder(std::vector<MysqlWireColumn> columns, std::size_t exported, bool zero_dates_are_null)
      : columns_(std::move(columns)), exported_(exported), zero_dates_are_null_(zero_dates_are_null) {}

  /// Appends one row, finishes it, and makes its key `key`. A field without data() is NULL. Errors:
  /// `source_value_mismatch`; after one the batch is of no use.
  Status decode(std::span<const std::string_view> fields, RowBatch& batch, KeyTuple& key) const;

 private:
  std::vector<MysqlWireColumn> columns_;
  std::size_t exported_;
  bool zero_dates_are_null_;
};

/// Appends a value that is not null; false (and nothing appended) when it is none of the column's type.
bool append_mysql_value(std::string_view text, const MysqlWireColumn& from, ColumnVector& column);

/// `-838:59:59.5` as ISO 8601: `PT-838H-59M-59.5S`. Empty when it is no time.
std::string interval_text(std::string_view time);

}  // namespace longshore
