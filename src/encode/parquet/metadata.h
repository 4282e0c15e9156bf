#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "model/export_spec.h"
#include "parquet/row_group_record.h"
#include "parquet/schema.h"

/// Parquet's metadata structures in Thrift's compact protocol (apache/parquet-format, parquet.thrift). All functions
/// append to `out`.
namespace longshore::parquet {

void append_data_page_header(std::size_t uncompressed, std::size_t compressed, std::int64_t values, Encoding encoding,
                             ByteBuffer& out);
void append_dictionary_page_header(std::size_t uncompressed, std::size_t compressed, std::size_t values,
                                   ByteBuffer& out);
void append_bloom_filter_header(std::size_t bytes, ByteBuffer& out);

/// Whether a column has a column index: every page with values must have bounds.
bool has_column_index(const ColumnRecord& column);
/// REQUIRES: has_column_index(column).
void append_column_index(const ColumnRecord& column, ByteBuffer& out);
/// `begin`: where the column's pages begin in the file.
void append_offset_index(const ColumnRecord& column, std::int64_t begin, ByteBuffer& out);

/// Where something lies in the file; size 0: it is not there.
struct FilePlace {
  std::int64_t begin = 0;
  std::int64_t size = 0;
};

/// Where a column's two page indexes lie.
struct PageIndexPlaces {
  FilePlace column_index;
  FilePlace offset_index;
};

/// A row group's place in the file.
struct PlacedRowGroup {
  RowGroupRecord record;
  std::int64_t begin = 0;
  std::vector<PageIndexPlaces> indexes;  ///< one for each column
};

/// Writes FileMetaData from its beginning to its end, a row group at a time, so that they need not be in memory at
/// once.
class FileMetadataWriter {
 public:
  /// `sorting_columns`: what a row group is sorted by if its record says that it is sorted.
  FileMetadataWriter(const std::vector<ParquetColumn>& columns, ParquetCodec codec, ParquetProfile profile,
                     std::vector<int> sorting_columns, ByteBuffer& out);
  ~FileMetadataWriter();
  FileMetadataWriter(const FileMetadataWriter&) = delete;
  FileMetadataWriter& operator=(const FileMetadataWriter&) = delete;

  /// `row_groups`: how often add() will be called.
  void begin(std::int64_t rows, std::size_t row_groups);
  void add(const PlacedRowGroup& row_group);
  void finish(const std::vector<std::pair<std::string, std::string>>& properties, const std::string& created_by);

 private:
  class Structures;
  std::unique_ptr<Structures> out_;
};

}  // namespace longshore::parquet
