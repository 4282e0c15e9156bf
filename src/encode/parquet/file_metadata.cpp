#include <map>
#include <memory>
#include <utility>

#include "parquet/metadata.h"
#include "parquet/thrift_writer.h"

namespace longshore::parquet {
namespace {

// ConvertedType, the older of the two ways to say what a column means.
enum ConvertedType {
  kUtf8 = 0,
  kList = 3,
  kDecimal = 5,
  kDate = 6,
  kTimestampMicros = 10,
  kInt16 = 16,
  kJson = 19,
};

enum Repetition { kOptional = 1, kRepeated = 2 };

int codec_number(ParquetCodec codec) {
  switch (codec) {
    case ParquetCodec::none:
      return 0;
    case ParquetCodec::snappy:
      return 1;
    case ParquetCodec::zstd:
      break;
  }
  return 6;
}

void write_converted_type(ThriftWriter& writer, const Leaf& leaf) {
  // SchemaElement: 6 converted type, 7 scale, 8 precision. A time or timestamp without zone has no converted type: the
  // older ones count from UTC.
  switch (leaf.meaning) {
    case Meaning::string:
      return writer.i32(6, kUtf8);
    case Meaning::json:
      return writer.i32(6, kJson);
    case Meaning::date:
      return writer.i32(6, kDate);
    case Meaning::timestamptz:
      return writer.i32(6, kTimestampMicros);
    case Meaning::int16:
      return writer.i32(6, kInt16);
    case Meaning::decimal:
      writer.i32(6, kDecimal);
      writer.i32(7, leaf.type.scale);
      return writer.i32(8, leaf.type.precision);
    case Meaning::plain:
    case Meaning::uuid:
    case Meaning::time:
    case Meaning::timestamp:
      break;
  }
}

/// TimeType and TimestampType: 1 adjusted to UTC, 2 unit (a union; 2 is microseconds).
void write_time_type(ThriftWriter& writer, std::int16_t choice, bool utc) {
  writer.begin_struct(choice);
  writer.boolean(1, utc);
  writer.begin_struct(2);
  writer.empty_struct(2);
  writer.end_struct();
  writer.end_struct();
}

// SchemaElement: 10 logical type, a union: 1 string, 3 list, 5 decimal, 6 date, 7 time, 8 timestamp, 10 integer, 12
// JSON, 14 UUID.
void write_logical_type(ThriftWriter& writer, const Leaf& leaf) {
  if (leaf.meaning == Meaning::plain) return;
  writer.begin_struct(10);
  switch (leaf.meaning) {
    case Meaning::string:
      writer.empty_struct(1);
      break;
    case Meaning::json:
      writer.empty_struct(12);
      break;
    case Meaning::uuid:
      writer.empty_struct(14);
      break;
    case Meaning::date:
      writer.empty_struct(6);
      break;
    case Meaning::time:
      write_time_type(writer, 7, false);
      break;
    case Meaning::timestamp:
      write_time_type(writer, 8, false);
      break;
    case Meaning::timestamptz:
      write_time_type(writer, 8, true);
      break;
    case Meaning::decimal:
      writer.begin_struct(5);
      writer.i32(1, leaf.type.scale);
      writer.i32(2, leaf.type.precision);
      writer.end_struct();
      break;
    case Meaning::int16:
      writer.begin_struct(10);
      writer.byte(1, 16);
      writer.boolean(2, true);
      writer.end_struct();
      break;
    case Meaning::plain:
      break;
  }
  writer.end_struct();
}

// SchemaElement: 1 type, 2 length, 3 repetition, 4 name, 5 children.
void write_leaf(ThriftWriter& writer, const std::string& name, const Leaf& leaf) {
  writer.begin_struct();
  writer.i32(1, leaf.stored);
  if (leaf.stored == Type::fixed) writer.i32(2, leaf.fixed_length);
  writer.i32(3, kOptional);
  writer.text(4, name);
  write_converted_type(writer, leaf);
  write_logical_type(writer, leaf);
  writer.end_struct();
}

/// A list and the repeated group in it (LogicalTypes.md, "Lists").
void write_list_groups(ThriftWriter& writer, const std::string& name) {
  writer.begin_struct();
  writer.i32(3, kOptional);
  writer.text(4, name);
  writer.i32(5, 1);
  writer.i32(6, kList);
  writer.begin_struct(10);
  writer.empty_struct(3);
  writer.end_struct();
  writer.end_struct();

  writer.begin_struct();
  writer.i32(3, kRepeated);
  writer.text(4, "list");
  writer.i32(5, 1);
  writer.end_struct();
}

void write_schema(ThriftWriter& writer, const std::vector<ParquetColumn>& columns) {
  std::size_t elements = 1;
  for (const ParquetColumn& column : columns) elements += column.list ? 3 : 1;
  writer.struct_list(2, elements);
  writer.begin_struct();
  writer.text(4, "schema");
  writer.i32(5, columns.size());
  writer.end_struct();
  for (const ParquetColumn& column : columns) {
    if (column.list) write_list_groups(writer, column.name);
    write_leaf(writer, column.list ? "element" : column.name, column.leaf);
  }
}

}  // namespace

/// The structures inside a row group.
class FileMetadataWriter::Structures {
 public:
  Structures(const std::vector<ParquetColumn>& columns, ParquetCodec codec, ParquetProfile profile,
             std::vector<int> sorting_columns, ByteBuffer& out)
      : columns_(columns),
        codec_(codec),
        profile_(profile),
        sorting_columns_(std::move(sorting_columns)),
        writer_(out) {}

  // FileMetaData: 1 version, 2 schema, 3 rows, 4 row groups, 5 properties, 6 created by, 7 column orders.
  void begin(std::int64_t rows, std::size_t row_groups) {
    // The field has 16 bits and is optional; arrow-rs wants it in all row groups or in none.
    has_ordinals_ = row_groups <= std::size_t{INT16_MAX} + 1;
    writer_.begin_struct();
    writer_.i32(1, profile_ == ParquetProfile::modern ? 2 : 1);
    write_schema(writer_, columns_);
    writer_.i64(3, rows);
    writer_.struct_list(4, row_groups);
  }

  void add(const PlacedRowGroup& row_group);

  void finish(const std::vector<std::pair<std::string, std::string>>& properties, const std::string& created_by) {
    writer_.struct_list(5, properties.size());
    for (const auto& [key, value] : properties) {
      writer_.begin_struct();
      writer_.text(1, key);
      writer_.text(2, value);
      writer_.end_struct();
    }
    writer_.text(6, created_by);
    // Every column's bounds follow the order of its type (a union whose only choice is 1).
    writer_.struct_list(7, columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      writer_.begin_struct();
      writer_.empty_struct(1);
      writer_.end_struct();
    }
    writer_.end_struct();
  }

 private:
  void write_column_chunk(const ParquetColumn& column, const ColumnRecord& record, const PageIndexPlaces& indexes,
                          std::int64_t begin, std::int64_t bloom_begin);
  void write_column_metadata(const ParquetColumn& column, const ColumnRecord& record, std::int64_t begin,
                             std::int64_t bloom_begin);
  void write_encodings(const ColumnRecord& record);
  void write_encoding_statistics(const ColumnRecord& record);
  void write_statistics(const ColumnRecord& record);

  const std::vector<ParquetColumn>& columns_;
  ParquetCodec codec_;
  ParquetProfile profile_;
  std::vector<int> sorting_columns_;
  ThriftWriter writer_;
  bool has_ordinals_ = true;
  int ordinal_ = 0;
};

// RowGroup: 1 columns, 2 uncompressed bytes, 3 rows, 4 sorting columns, 5 offset, 6 compressed bytes, 7 ordinal.
void FileMetadataWriter::Structures::add(const PlacedRowGroup& row_group) {
  const RowGroupRecord& record = row_group.record;
  writer_.begin_struct();
  writer_.struct_list(1, record.columns.size());
  std::int64_t uncompressed = 0;
  std::int64_t compressed = 0;
  for (const ColumnRecord& column : record.columns) compressed += column.bytes();
  std::int64_t begin = row_group.begin;
  std::int64_t bloom_begin = row_group.begin + compressed;
  for (std::size_t i = 0; i < record.columns.size(); ++i) {
    const ColumnRecord& column = record.columns[i];
    write_column_chunk(columns_[i], column, row_group.indexes[i], begin, bloom_begin);
    uncompressed += column.uncompressed_bytes;
    begin += column.bytes();
    bloom_begin += column.bloom_bytes;
  }
  writer_.i64(2, uncompressed);
  writer_.i64(3, record.rows);
  if (record.sorted && !sorting_columns_.empty()) {
    // SortingColumn: 1 column, 2 descending, 3 nulls first.
    writer_.struct_list(4, sorting_columns_.size());
    for (const int column : sorting_columns_) {
      writer_.begin_struct();
      writer_.i32(1, column);
      writer_.boolean(2, false);
      writer_.boolean(3, false);
      writer_.end_struct();
    }
  }
  writer_.i64(5, row_group.begin);
  writer_.i64(6, compressed);
  if (has_ordinals_) writer_.i16(7, ordinal_++);
  writer_.end_struct();
}

// ColumnChunk: 2 file offset (deprecated: 0), 3 metadata, 4 and 5 offset index, 6 and 7 column index.
void FileMetadataWriter::Structures::write_column_chunk(const ParquetColumn& column, const ColumnRecord& record,
                                                        const PageIndexPlaces& indexes, std::int64_t begin,
                                                        std::int64_t bloom_begin) {
  writer_.begin_struct();
  writer_.i64(2, 0);
  writer_.begin_struct(3);
  write_column_metadata(column, record, begin, bloom_begin);
  writer_.end_struct();
  if (indexes.offset_index.size > 0) {
    writer_.i64(4, indexes.offset_index.begin);
    writer_.i32(5, indexes.offset_index.size);
  }
  if (indexes.column_index.size > 0) {
    writer_.i64(6, indexes.column_index.begin);
    writer_.i32(7, indexes.column_index.size);
  }
  writer_.end_struct();
}

// ColumnMetaData: 1 type, 2 encodings, 3 path, 4 codec, 5 values, 6 uncompressed bytes, 7 compressed bytes, 9 first
// data page, 11 dictionary page, 12 statistics, 13 encoding statistics, 14 and 15 bloom filter.
void FileMetadataWriter::Structures::write_column_metadata(const ParquetColumn& column, const ColumnRecord& record,
                                                           std::int64_t begin, std::int64_t bloom_begin) {
  writer_.i32(1, column.leaf.stored);
  write_encodings(record);
  writer_.text_list(3, column.list ? 3 : 1);
  writer_.text_item(column.name);
  if (column.list) {
    writer_.text_item("list");
    writer_.text_item("element");
  }
  writer_.i32(4, codec_number(codec_));
  writer_.i64(5, record.values());
  writer_.i64(6, record.uncompressed_bytes);
  writer_.i64(7, record.bytes());
  writer_.i64(9, begin + record.dictionary_bytes);
  if (record.dictionary_bytes > 0) writer_.i64(11, begin);
  writer_.begin_struct(12);
  write_statistics(record);
  writer_.end_struct();
  write_encoding_statistics(record);
  if (record.bloom_bytes > 0) {
    writer_.i64(14, bloom_begin);
    writer_.i32(15, record.bloom_bytes);
  }
}

/// Those of the values, and RLE for the levels.
void FileMetadataWriter::Structures::write_encodings(const ColumnRecord& record) {
  std::map<int, bool> used{{static_cast<int>(Encoding::rle), true}};
  if (record.dictionary_bytes > 0) used[static_cast<int>(Encoding::plain)] = true;
  for (const PageRecord& page : record.pages) used[static_cast<int>(page.encoding)] = true;
  writer_.i32_list(2, used.size());
  for (const auto& [encoding, _] : used) writer_.i32_item(encoding);
}

/// PageEncodingStats: 1 kind of page (0 data, 2 dictionary), 2 encoding, 3 pages.
void FileMetadataWriter::Structures::write_encoding_statistics(const ColumnRecord& record) {
  std::map<int, int> data_pages;
  for (const PageRecord& page : record.pages) ++data_pages[static_cast<int>(page.encoding)];
  const auto write = [&](int kind, int encoding, int pages) {
    writer_.begin_struct();
    writer_.i32(1, kind);
    writer_.i32(2, encoding);
    writer_.i32(3, pages);
    writer_.end_struct();
  };
  writer_.struct_list(13, data_pages.size() + (record.dictionary_bytes > 0 ? 1 : 0));
  if (record.dictionary_bytes > 0) write(2, static_cast<int>(Encoding::plain), 1);
  for (const auto& [encoding, pages] : data_pages) write(0, encoding, pages);
}

/// Statistics: 3 nulls, 5 maximum, 6 minimum, 7 and 8 whether they are exact.
void FileMetadataWriter::Structures::write_statistics(const ColumnRecord& record) {
  writer_.i64(3, record.nulls());
  if (!record.bounds.present) return;
  writer_.text(5, record.bounds.max);
  writer_.text(6, record.bounds.min);
  writer_.boolean(7, record.bounds.max_exact);
  writer_.boolean(8, record.bounds.min_exact);
}

FileMetadataWriter::FileMetadataWriter(const std::vector<ParquetColumn>& columns, ParquetCodec codec,
                                       ParquetProfile profile, std::vector<int> sorting_columns, ByteBuffer& out)
    : out_(std::make_unique<Structures>(columns, codec, profile, std::move(sorting_columns), out)) {}
FileMetadataWriter::~FileMetadataWriter() = default;

void FileMetadataWriter::begin(std::int64_t rows, std::size_t row_groups) {
  out_->begin(rows, row_groups);
}

void FileMetadataWriter::add(const PlacedRowGroup& row_group) {
  out_->add(row_group);
}

void FileMetadataWriter::finish(const std::vector<std::pair<std::string, std::string>>& properties,
                                const std::string& created_by) {
  out_->finish(properties, created_by);
}

}  // namespace longshore::parquet
