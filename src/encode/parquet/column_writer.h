#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/chunk_summary.h"
#include "parquet/conform.h"
#include "parquet/levels.h"
#include "parquet/list_reader.h"
#include "parquet/page_store.h"
#include "parquet/row_group_record.h"
#include "parquet/schema.h"
#include "parquet/values.h"

namespace longshore::parquet {

/// A page is closed when a batch brings it to this many rows or, of the column's share, bytes.
inline constexpr std::size_t kPageRows = 20'000;
inline constexpr std::size_t kPageBytes = std::size_t{1} << 20;

/// What the columns of an encoder share besides ValueContext.
struct ColumnContext {
  ValueContext values;
  std::size_t page_bytes = kPageBytes;
  PageStore pages;
  ByteBuffer body;        ///< scratch: a page before compression
  ByteBuffer compressed;  ///< scratch: its header and what compression made of it
};

/// One column of one row group after the other: batches in, pages out.
class ColumnWriter {
 public:
  ColumnWriter(const ParquetColumn& column, ColumnContext& context);

  Status append(const ColumnVector& column, ColumnFidelity& fidelity);
  /// What is kept of the row group's column, apart from what lies in the page store.
  std::size_t held_bytes() const;
  /// Ends the row group: appends the column's pages to `out`.
  Result<ColumnRecord> finish(ByteBuffer& out);
  /// Appends the bloom filter, if there is one, and begins the next row group.
  /// REQUIRES: called after finish(), whose record it completes.
  void finish_bloom_filter(ColumnRecord& record, ByteBuffer& out);

 private:
  struct StoredPage {
    PageStore::Place place;
    PageRecord record;
  };

  std::size_t page_rows() const { return column_.list ? lists_.rows() : validity_.rows(); }
  Status close_page(bool last);
  /// Compresses context_.body, whose values begin at `begin`.
  Status compress_page(const PageValues& values, std::size_t begin);
  Status append_dictionary_page(ColumnRecord& record, ByteBuffer& out);

  ParquetColumn column_;
  ColumnContext& context_;
  Conformer conformer_;
  std::optional<ListReader> list_reader_;
  ListLevels lists_;
  ValidityLevels validity_;
  std::unique_ptr<ValueWriter> values_;
  std::vector<StoredPage> pages_;
  std::int64_t uncompressed_bytes_ = 0;  ///< of the pages, with headers
};

}  // namespace longshore::parquet
