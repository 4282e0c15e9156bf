#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parquet/bounds.h"
#include "parquet/values.h"

namespace longshore::parquet {

/// What the footer must know of a data page.
struct PageRecord {
  std::int64_t bytes = 0;   ///< with its header
  std::int64_t rows = 0;    ///< that begin in it
  std::int64_t values = 0;  ///< nulls (and empty lists) included: `rows`, save in a list column
  std::int64_t nulls = 0;   ///< of them
  Encoding encoding = Encoding::plain;
  Bounds bounds;

  friend bool operator==(const PageRecord&, const PageRecord&) = default;
};

/// What the footer must know of a column of a row group. Its pages lie next to each other, the dictionary's first.
struct ColumnRecord {
  std::int64_t dictionary_bytes = 0;  ///< with the page's header; 0: no dictionary
  std::int64_t uncompressed_bytes = 0;
  std::int64_t bloom_bytes = 0;  ///< of the filter with its header; 0: none
  BoundaryOrder order = BoundaryOrder::unordered;
  Bounds bounds;
  std::vector<PageRecord> pages;

  std::int64_t values() const;
  std::int64_t nulls() const;
  /// Of all pages, without the bloom filter.
  std::int64_t bytes() const;

  friend bool operator==(const ColumnRecord&, const ColumnRecord&) = default;
};

/// What the footer must know of a row group: columns next to each other, then their bloom filters.
struct RowGroupRecord {
  std::int64_t rows = 0;
  bool sorted = false;  ///< by the key columns that sorting_columns() names
  std::vector<ColumnRecord> columns;

  std::int64_t bytes() const;

  friend bool operator==(const RowGroupRecord&, const RowGroupRecord&) = default;
};

/// Appends the record in a compact form of our own: it is stored with every checkpoint, and what the schema says or
/// what follows from other fields is left out. Records may be concatenated.
void append_record(const RowGroupRecord& record, std::string& detail);
/// Takes the first record off `detail`. Errors: `bad_parquet_record` (internal).
Result<RowGroupRecord> take_record(std::string_view& detail);

}  // namespace longshore::parquet
