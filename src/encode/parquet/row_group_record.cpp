#include "parquet/row_group_record.h"

#include "parquet/bit_packing.h"

namespace longshore::parquet {
namespace {

/// The first byte of a record; another one means another version's work.
constexpr char kRecordMark = 'P';

constexpr std::uint64_t kHasBounds = 1;
constexpr std::uint64_t kMinExact = 2;
constexpr std::uint64_t kMaxExact = 4;
constexpr std::uint64_t kSameBounds = 8;  ///< as those of the whole column

void append_number(std::int64_t value, ByteBuffer& out) {
  append_varint(static_cast<std::uint64_t>(value), out);
}

void append_bounds(const Bounds& bounds, ByteBuffer& out) {
  append_varint(
      (bounds.present ? kHasBounds : 0) | (bounds.min_exact ? kMinExact : 0) | (bounds.max_exact ? kMaxExact : 0), out);
  if (!bounds.present) return;
  append_varint(bounds.min.size(), out);
  out.append(bounds.min);
  append_varint(bounds.max.size(), out);
  out.append(bounds.max);
}

void append_column(const ColumnRecord& column, ByteBuffer& out) {
  append_number(column.dictionary_bytes, out);
  append_number(column.uncompressed_bytes, out);
  append_number(column.bloom_bytes, out);
  append_varint(static_cast<std::uint64_t>(column.order), out);
  append_bounds(column.bounds, out);
  append_varint(column.pages.size(), out);
  for (const PageRecord& page : column.pages) {
    append_number(page.bytes, out);
    append_number(page.rows, out);
    append_number(page.values, out);
    append_number(page.nulls, out);
    append_varint(static_cast<std::uint64_t>(page.encoding), out);
    // The only page has the column's bounds, save that they may be cut shorter.
    if (page.bounds == column.bounds) {
      append_varint(kSameBounds, out);
    } else {
      append_bounds(page.bounds, out);
    }
  }
}

/// Reads what the functions above wrote; after the first failure everything is 0.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}

  bool failed() const { return failed_; }
  std::string_view rest() const { return bytes_; }

  char byte() {
    const std::string_view one = take(1);
    return one.empty() ? '\0' : one[0];
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto next = static_cast<unsigned char>(byte());
      value |= std::uint64_t{next & 0x7FU} << shift;
      if (next < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }
  std::int64_t count() {
    const auto value = static_cast<std::int64_t>(number());
    if (value < 0) failed_ = true;
    return failed_ ? 0 : value;
  }
  /// How many things follow, each of at least one byte.
  std::size_t length() {
    const std::uint64_t value = number();
    if (value > bytes_.size()) failed_ = true;
    return failed_ ? 0 : static_cast<std::size_t>(value);
  }
  std::string_view take(std::size_t n) {
    if (n > bytes_.size()) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return taken;
  }
  Bounds bounds(const Bounds& same) {
    const std::uint64_t flags = number();
    if (flags == kSameBounds) return same;
    Bounds bounds;
    bounds.present = (flags & kHasBounds) != 0;
    bounds.min_exact = (flags & kMinExact) != 0;
    bounds.max_exact = (flags & kMaxExact) != 0;
    if (!bounds.present) return bounds;
    bounds.min = take(length());
    bounds.max = take(length());
    return bounds;
  }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

ColumnRecord read_column(RecordReader& reader) {
  ColumnRecord column;
  column.dictionary_bytes = reader.count();
  column.uncompressed_bytes = reader.count();
  column.bloom_bytes = reader.count();
  column.order = static_cast<BoundaryOrder>(reader.number());
  column.bounds = reader.bounds({});
  column.pages.resize(reader.length());
  for (PageRecord& page : column.pages) {
    page.bytes = reader.count();
    page.rows = reader.count();
    page.values = reader.count();
    page.nulls = reader.count();
    page.encoding = static_cast<Encoding>(reader.number());
    page.bounds = reader.bounds(column.bounds);
  }
  return column;
}

}  // namespace

std::int64_t ColumnRecord::values() const {
  std::int64_t sum = 0;
  for (const PageRecord& page : pages) sum += page.values;
  return sum;
}

std::int64_t ColumnRecord::nulls() const {
  std::int64_t sum = 0;
  for (const PageRecord& page : pages) sum += page.nulls;
  return sum;
}

std::int64_t ColumnRecord::bytes() const {
  std::int64_t sum = dictionary_bytes;
  for (const PageRecord& page : pages) sum += page.bytes;
  return sum;
}

std::int64_t RowGroupRecord::bytes() const {
  std::int64_t sum = 0;
  for (const ColumnRecord& column : columns) sum += column.bytes() + column.bloom_bytes;
  return sum;
}

void append_record(const RowGroupRecord& record, std::string& detail) {
  ByteBuffer out;
  out.push_back(kRecordMark);
  append_number(record.rows, out);
  out.push_back(record.sorted ? 1 : 0);
  append_varint(record.columns.size(), out);
  for (const ColumnRecord& column : record.columns) append_column(column, out);
  detail.append(out.view());
}

Result<RowGroupRecord> take_record(std::string_view& detail) {
  RecordReader reader(detail);
  RowGroupRecord record;
  const bool known = reader.byte() == kRecordMark;
  record.rows = reader.count();
  record.sorted = reader.byte() != 0;
  record.columns.resize(known ? reader.length() : 0);
  for (ColumnRecord& column : record.columns) column = read_column(reader);
  if (!known || reader.failed()) {
    return fail(internal_error("bad_parquet_record", "the summary of a Parquet row group cannot be read"));
  }
  detail = reader.rest();
  return record;
}

}  // namespace longshore::parquet
