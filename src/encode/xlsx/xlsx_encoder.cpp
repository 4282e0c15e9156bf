#include "xlsx/xlsx_encoder.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "encode/text/digits.h"
#include "xlsx/column_width.h"
#include "xlsx/partition_detail.h"
#include "xlsx/xml_text.h"

namespace longshore {
namespace {

/// Rows that share one reservation: enough to make it free, few enough that its worst case stays small.
constexpr std::size_t kBlockRows = 32;
/// Above this the worst case (every byte escaped) is not reserved for a block, but row by row.
constexpr std::size_t kLooseBound = 256 << 10;
/// XML is deflated in pieces of about this size, while it is still in the CPU's cache.
constexpr std::size_t kPieceBytes = 512 << 10;
/// The open field, the row's number and the cell.
constexpr std::size_t kFixedBytes = 16 + 8 + kSheetCellBytes;
constexpr std::size_t kRowBytes = 64;

bool has_text(const SheetColumn& column) {
  return column.offsets != nullptr;
}

}  // namespace

XlsxEncoder::XlsxEncoder(std::vector<SheetColumn> columns, const XlsxLimits& limits, std::uint32_t first_row,
                         const ChunkSummary& before)
    : columns_(std::move(columns)),
      limits_(limits),
      first_row_(first_row),
      rows_(before.rows),
      raw_bytes_(before.raw_bytes) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].open.set(first_row == 0 ? "<c" : "<c r=\"" + column_letters(i));
  }
}

Status XlsxEncoder::bind(const RowBatch& batch) {
  if (batch.column_count() != columns_.size()) {
    return fail(internal_error("batch_shape", "the batch has " + std::to_string(batch.column_count()) +
                                                  " columns, the export " + std::to_string(columns_.size())));
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    SheetColumn& column = columns_[i];
    const ColumnVector& source = batch.column(i);
    if (source.type() != column.type || source.size() != batch.row_count()) {
      return fail(internal_error("batch_shape", "column " + std::to_string(i) + " came as " + to_string(source.type()) +
                                                    " with " + std::to_string(source.size()) + " values, expected " +
                                                    to_string(column.type) + " with " +
                                                    std::to_string(batch.row_count())));
    }
    column.values = source.bytes();
    column.values_end = column.values + source.byte_size();
    column.offsets = source.physical() == PhysicalType::bytes ? source.offsets() : nullptr;
    column.validity = source.validity();
  }
  return {};
}

Status XlsxEncoder::check_limits(std::int64_t rows, std::int64_t bytes) const {
  const std::int64_t before = first_row_ == 0 ? 0 : first_row_ - 2;
  if (before + rows > limits_.rows_per_sheet) {
    return fail(external_error("xlsx_partition_too_large",
                               "a sheet of a workbook holds " + std::to_string(limits_.rows_per_sheet) +
                                   " rows, and a part of this export that must stay on one sheet has more; export "
                                   "again, set `boundaries: exact` in the catalog, or use CSV or Parquet",
                               false));
  }
  if (bytes > limits_.sheet_bytes) {
    return fail(external_error("xlsx_partition_too_large",
                               "a sheet of a workbook holds " + std::to_string(limits_.sheet_bytes) +
                                   " bytes of XML, and a part of this export that must stay on one sheet has more; "
                                   "export fewer columns, or use CSV or Parquet",
                               false));
  }
  return {};
}

std::size_t XlsxEncoder::loose_bound(std::size_t first, std::size_t last) const {
  std::size_t total = (kRowBytes + kFixedBytes * columns_.size()) * (last - first) + kSheetCellOvershoot;
  for (const SheetColumn& column : columns_) {
    if (!has_text(column)) continue;
    total += kXmlTextGrowth * static_cast<std::size_t>(column.offsets[last] - column.offsets[first]);
  }
  return total;
}

std::size_t XlsxEncoder::careful_bound(std::size_t row) const {
  std::size_t total = kRowBytes + kFixedBytes * columns_.size() + kSheetCellOvershoot;
  for (const SheetColumn& column : columns_) {
    // Longer text is cut before it is escaped.
    if (has_text(column)) total += kXmlTextGrowth * std::min(column.text(row).size(), kMaxCellUnits);
  }
  return total;
}

void XlsxEncoder::write_block(std::size_t first, std::size_t last) {
  if (const std::size_t loose = loose_bound(first, last); loose <= kLooseBound) {
    write_rows(first, last, loose);
    return;
  }
  for (std::size_t row = first; row < last; ++row) write_rows(row, row + 1, careful_bound(row));
}

char* XlsxEncoder::begin_row(char* out) {
  if (first_row_ == 0) return write_word(out, "<row>");
  out = write_word(out, "<row r=\"");
  char number[24];
  char* end = write_uint64(number, first_row_ + static_cast<std::uint64_t>(rows_));
  *end++ = '"';
  row_number_.set({number, static_cast<std::size_t>(end - number)});
  out = row_number_.write(out);
  *out++ = '>';
  return out;
}

void XlsxEncoder::write_rows(std::size_t first, std::size_t last, std::size_t room) {
  const bool numbered = first_row_ != 0;
  char* const begin = raw_.reserve_back(room);
  char* end = begin;
  for (std::size_t row = first; row < last; ++row) {
    end = begin_row(end);
    for (SheetColumn& column : columns_) {
      if (column.validity != nullptr && !column.valid(row)) {
        if (!numbered) end = write_word(end, "<c/>");
        continue;
      }
      end = column.open.write(end);
      std::memcpy(end, row_number_.text, 8);  // seven digits and the quote at most
      end = column.write(column, row, end + row_number_.size);
    }
    end = write_word(end, "</row>");
    ++rows_;
  }
  raw_.grow(static_cast<std::size_t>(end - begin));
}

Result<std::optional<ChunkSummary>> XlsxEncoder::encode(const RowBatch& batch, ByteBuffer& out) {
  const std::size_t rows = batch.row_count();
  if (rows == 0) return std::nullopt;
  CHECK_OK(bind(batch));
  CHECK_OK(check_limits(rows_ + static_cast<std::int64_t>(rows), raw_bytes_));

  ChunkSummary summary;
  summary.rows = static_cast<std::int64_t>(rows);
  if (rows_ == 0) summary.detail = to_detail({first_row_, measure_widths(batch)});
  // Where pieces end depends on the batch alone: a fresh encoder makes the same bytes.
  for (std::size_t first = 0; first < rows; first += kBlockRows) {
    const std::size_t last = std::min(rows, first + kBlockRows);
    write_block(first, last);
    if (raw_.size() < kPieceBytes && last < rows) continue;
    summary.raw_crc32 = crc32(raw_.view(), summary.raw_crc32);
    summary.raw_bytes += static_cast<std::int64_t>(raw_.size());
    CHECK_OK(deflater_.append_chunk(raw_.view(), out));
    if (raw_.capacity() > 4 * kPieceBytes) raw_.release();
    raw_.clear();
  }
  raw_bytes_ += summary.raw_bytes;
  CHECK_OK(check_limits(rows_, raw_bytes_));

  const bool clean =
      std::all_of(columns_.begin(), columns_.end(), [](const SheetColumn& column) { return column.fidelity.clean(); });
  if (!clean) {
    for (SheetColumn& column : columns_) summary.fidelity.push_back(std::exchange(column.fidelity, {}));
  }
  return summary;
}

Result<std::optional<ChunkSummary>> XlsxEncoder::finish(ByteBuffer&) {
  return std::nullopt;
}

}  // namespace longshore
