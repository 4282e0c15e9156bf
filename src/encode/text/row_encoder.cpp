#include "encode/text/row_encoder.h"

#include <algorithm>
#include <utility>

namespace longshore {
namespace {

/// Rows that share one reservation: enough to make it free, few enough that its worst case stays small.
constexpr std::size_t kBlockRows = 32;
/// Above this the worst case (every byte escaped) is not reserved but the row's cells are counted first, so that a
/// large cell does not claim several times its size.
constexpr std::size_t kLooseBound = 256 << 10;
/// Prefixes are copied 16 bytes at a time, whatever their length.
constexpr std::size_t kPrefixCopy = 16;

inline char* write_prefix(const CellColumn& column, char* out) {
  const std::size_t size = column.prefix_size;
  std::memcpy(out, column.prefix.data(), kPrefixCopy);
  if (size > kPrefixCopy) {
    std::memcpy(out + kPrefixCopy, column.prefix.data() + kPrefixCopy, size - kPrefixCopy);
  }
  return out + size;
}

/// What `text` can take at most in any text format: 6 for a control character (`\u0001`), 2 for a quote or backslash, 3
/// for a byte that may be no UTF-8, and the quotes around it.
std::size_t text_bound(std::string_view text) {
  std::size_t total = text.size() + kFixedCellBytes;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) total += 5;
    if (byte == '"' || byte == '\\') total += 1;
    if (byte >= 0x80) total += 2;
  }
  return total;
}

}  // namespace

RowEncoder::RowEncoder(std::vector<CellColumn> columns, std::string row_end, std::size_t skipped)
    : columns_(std::move(columns)),
      row_end_(std::move(row_end)),
      skipped_(skipped),
      fixed_bytes_(row_end_.size() + kPrefixCopy) {
  for (CellColumn& column : columns_) {
    fixed_bytes_ += column.prefix.size() + kPrefixCopy + kFixedCellBytes;
    column.prefix_size = column.prefix.size();
    column.prefix.resize(std::max(column.prefix.size(), kPrefixCopy));
    column.scan = fastest_scan();
  }
}

Status RowEncoder::bind(const RowBatch& batch) {
  if (batch.column_count() != columns_.size()) {
    return fail(internal_error("batch_shape", "the batch has " + std::to_string(batch.column_count()) +
                                                  " columns, the export " + std::to_string(columns_.size())));
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    CellColumn& column = columns_[i];
    const ColumnVector& source = batch.column(i);
    if (source.type() != column.type || source.size() != batch.row_count()) {
      return fail(internal_error("batch_shape", "column '" + column.name + "' came as " + to_string(source.type()) +
                                                    " with " + std::to_string(source.size()) + " values, expected " +
                                                    to_string(column.type) + " with " +
                                                    std::to_string(batch.row_count())));
    }
    column.values = source.bytes();
    column.values_end = column.values + source.byte_size();
    column.offsets = source.physical() == PhysicalType::bytes ? source.offsets() : nullptr;
    column.validity = source.validity();
    column.write = column.validity == nullptr ? column.writers.plain : column.writers.nullable;
  }
  return {};
}

std::size_t RowEncoder::bound(std::size_t first, std::size_t last) const {
  std::size_t total = fixed_bytes_ * (last - first) + kCellOvershoot;
  for (const CellColumn& column : columns_) {
    if (column.growth == 0) continue;
    total += column.growth * static_cast<std::size_t>(column.offsets[last] - column.offsets[first]);
  }
  return total;
}

std::size_t RowEncoder::careful_bound(std::size_t row) const {
  std::size_t total = fixed_bytes_ + kCellOvershoot;
  for (const CellColumn& column : columns_) {
    if (column.growth == 0) continue;
    const std::string_view text = column.text(row);
    // Growth 2 is base64, which is not escaped.
    total += column.growth == 2 ? 2 * text.size() : text_bound(text);
  }
  return total;
}

void RowEncoder::write_rows(std::size_t first, std::size_t last, std::size_t room, ByteBuffer& out) {
  char* const begin = out.reserve_back(room);
  char* end = begin;
  for (std::size_t row = first; row < last; ++row) {
    for (CellColumn& column : columns_) {
      end = write_prefix(column, end);
      end = column.write(column, row, end);
    }
    std::memcpy(end, row_end_.data(), row_end_.size());
    end += row_end_.size();
  }
  if (skipped_ != 0) [[unlikely]] {
    // Moving the first few rows once is cheaper than asking every row whether it is the first.
    end -= skipped_;
    std::memmove(begin, begin + skipped_, static_cast<std::size_t>(end - begin));
    skipped_ = 0;
  }
  out.grow(static_cast<std::size_t>(end - begin));
}

Result<std::optional<ChunkSummary>> RowEncoder::encode(const RowBatch& batch, ByteBuffer& out) {
  const std::size_t rows = batch.row_count();
  if (rows == 0) return std::nullopt;
  CHECK_OK(bind(batch));
  const std::size_t begin = out.size();
  for (std::size_t first = 0; first < rows; first += kBlockRows) {
    const std::size_t last = std::min(rows, first + kBlockRows);
    if (const std::size_t loose = bound(first, last); loose <= kLooseBound) {
      write_rows(first, last, loose, out);
      continue;
    }
    for (std::size_t row = first; row < last; ++row) {
      const std::size_t loose = bound(row, row + 1);
      write_rows(row, row + 1, loose <= kLooseBound ? loose : careful_bound(row), out);
    }
  }

  ChunkSummary summary;
  summary.rows = static_cast<std::int64_t>(rows);
  summary.raw_bytes = static_cast<std::int64_t>(out.size() - begin);
  const bool clean =
      std::all_of(columns_.begin(), columns_.end(), [](const CellColumn& column) { return column.fidelity.clean(); });
  if (!clean) {
    for (CellColumn& column : columns_) summary.fidelity.push_back(std::exchange(column.fidelity, {}));
  }
  return summary;
}

Result<std::optional<ChunkSummary>> RowEncoder::finish(ByteBuffer&) {
  return std::nullopt;
}

}  // namespace longshore
