#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "batch/row_batch.h"
#include "scan/postgres/column_type.h"

namespace longshore {

/// The format in which a statement with these columns is cheapest.
CopyFormat choose_copy_format(const std::vector<WireColumn>& columns);

/// Turns the rows of a COPY stream, one message each, into the rows of a RowBatch. Not thread-safe.
///
/// The format is described in the PostgreSQL documentation, "COPY: File Formats", and the values' binary forms in the
/// `…send` functions of src/backend/utils/adt.
class CopyDecoder {
 public:
  /// `columns` in the order of the SELECT list: first `exported` that go to the batch's columns, then those read for
  /// the key only. `key` are the positions in `columns` of the key columns, in key order.
  CopyDecoder(CopyFormat format, std::vector<WireColumn> columns, std::size_t exported, std::vector<std::size_t> key);

  CopyFormat format() const { return format_; }
  /// Before the first row of each COPY.
  void begin();
  /// Appends one row and finishes it. Returns false when the message held no row (the binary format's trailer).
  /// Errors: `source_value_mismatch`; `postgres_protocol` for bytes that are no COPY row. After an error the batch is
  /// of no use.
  Result<bool> decode(std::string_view message, RowBatch& batch);
  /// The key of the last row that decode() appended, in canonical text. REQUIRES: that row's bytes are still there.
  Result<KeyTuple> key();

 private:
  bool split_binary(std::string_view message, bool& has_row);
  bool split_text(std::string_view message);
  /// The value that could not be converted, with its row's key.
  Error mismatch(std::size_t column);

  CopyFormat format_;
  std::vector<WireColumn> columns_;
  std::size_t exported_;
  std::vector<std::size_t> key_;
  bool header_pending_ = false;
  std::vector<std::string_view> fields_;  ///< of the last row; data() == nullptr means NULL
};

}  // namespace longshore
