#include "parquet/metadata.h"
#include "parquet/thrift_writer.h"

namespace longshore::parquet {
namespace {

enum PageType { kDataPage = 0, kDictionaryPage = 2 };

// PageHeader: 1 type, 2 uncompressed size, 3 compressed size, 5 data page, 7 dictionary page.
void begin_page_header(ThriftWriter& writer, PageType type, std::size_t uncompressed, std::size_t compressed) {
  writer.begin_struct();
  writer.i32(1, type);
  writer.i32(2, uncompressed);
  writer.i32(3, compressed);
}

}  // namespace

void append_data_page_header(std::size_t uncompressed, std::size_t compressed, std::int64_t values, Encoding encoding,
                             ByteBuffer& out) {
  ThriftWriter writer(out);
  begin_page_header(writer, kDataPage, uncompressed, compressed);
  // DataPageHeader: 1 values, 2 their encoding, 3 and 4 those of definition and repetition levels.
  writer.begin_struct(5);
  writer.i32(1, values);
  writer.i32(2, encoding);
  writer.i32(3, Encoding::rle);
  writer.i32(4, Encoding::rle);
  writer.end_struct();
  writer.end_struct();
}

void append_dictionary_page_header(std::size_t uncompressed, std::size_t compressed, std::size_t values,
                                   ByteBuffer& out) {
  ThriftWriter writer(out);
  begin_page_header(writer, kDictionaryPage, uncompressed, compressed);
  // DictionaryPageHeader: 1 values, 2 their encoding.
  writer.begin_struct(7);
  writer.i32(1, values);
  writer.i32(2, Encoding::plain);
  writer.end_struct();
  writer.end_struct();
}

void append_bloom_filter_header(std::size_t bytes, ByteBuffer& out) {
  ThriftWriter writer(out);
  // BloomFilterHeader: 1 bytes; then three unions of one choice each: split block, xxHash64, uncompressed.
  writer.begin_struct();
  writer.i32(1, bytes);
  for (const std::int16_t field : {2, 3, 4}) {
    writer.begin_struct(field);
    writer.empty_struct(1);
    writer.end_struct();
  }
  writer.end_struct();
}

bool has_column_index(const ColumnRecord& column) {
  for (const PageRecord& page : column.pages) {
    if (!page.bounds.present && page.values > page.nulls) return false;
  }
  return !column.pages.empty();
}

void append_column_index(const ColumnRecord& column, ByteBuffer& out) {
  ThriftWriter writer(out);
  // ColumnIndex: 1 null pages, 2 minima, 3 maxima, 4 boundary order, 5 null counts.
  writer.begin_struct();
  writer.boolean_list(1, column.pages.size());
  for (const PageRecord& page : column.pages) writer.boolean_item(!page.bounds.present);
  writer.text_list(2, column.pages.size());
  for (const PageRecord& page : column.pages) writer.text_item(page.bounds.min);
  writer.text_list(3, column.pages.size());
  for (const PageRecord& page : column.pages) writer.text_item(page.bounds.max);
  writer.i32(4, column.order);
  writer.i64_list(5, column.pages.size());
  for (const PageRecord& page : column.pages) writer.i64_item(page.nulls);
  writer.end_struct();
}

void append_offset_index(const ColumnRecord& column, std::int64_t begin, ByteBuffer& out) {
  ThriftWriter writer(out);
  // OffsetIndex: 1 page locations (1 offset, 2 size with header, 3 first row).
  writer.begin_struct();
  writer.struct_list(1, column.pages.size());
  std::int64_t offset = begin + column.dictionary_bytes;
  std::int64_t row = 0;
  for (const PageRecord& page : column.pages) {
    writer.begin_struct();
    writer.i64(1, offset);
    writer.i32(2, page.bytes);
    writer.i64(3, row);
    writer.end_struct();
    offset += page.bytes;
    row += page.rows;
  }
  writer.end_struct();
}

}  // namespace longshore::parquet
