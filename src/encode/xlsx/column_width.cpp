#include "xlsx/column_width.h"

#include <algorithm>
#include <cmath>

#include "encode/text/digits.h"

namespace longshore {
namespace {

constexpr std::size_t kMostMeasured = 255;
constexpr std::size_t kUuidWidth = 36;
constexpr std::size_t kDateWidth = 10;
constexpr std::size_t kTimeWidth = 8;
constexpr std::size_t kTimestampWidth = 19;
constexpr std::size_t kMillisecondsWidth = 4;
/// General shows about this many digits of a fraction.
constexpr std::size_t kGeneralWidth = 11;

/// Lead bytes from E3 on begin U+3000 and above: kana, ideographs, Hangul, emoji; nearly all of it is wide.
std::size_t text_width(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text.substr(0, 3 * kMostMeasured)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) width += byte >= 0xE3 ? 2 : 1;
    if (c == '\n') break;  // cells do not wrap: what is behind is not shown beside it
  }
  return width;
}

std::size_t int_width(std::int64_t value) {
  return static_cast<std::size_t>(
             count_digits(value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value))) +
         (value < 0 ? 1 : 0);
}

std::size_t decimal_width(Int128 value, int scale) {
  char text[64];
  return static_cast<std::size_t>(write_decimal(text, value, scale) - text);
}

std::size_t time_width(std::int64_t micros, std::size_t whole) {
  return whole + (micros % 1'000'000 == 0 ? 0 : kMillisecondsWidth);
}

std::size_t cell_width(const ColumnVector& column, std::size_t row) {
  switch (column.physical()) {
    case PhysicalType::boolean:
      return 5;
    case PhysicalType::int32:
      if (column.type().logical == LogicalType::date) return kDateWidth;
      return int_width(column.values<std::int32_t>()[row]);
    case PhysicalType::int64: {
      const std::int64_t value = column.values<std::int64_t>()[row];
      if (column.type().logical == LogicalType::int64) return int_width(value);
      return time_width(value, column.type().logical == LogicalType::time ? kTimeWidth : kTimestampWidth);
    }
    case PhysicalType::float32:
    case PhysicalType::float64:
      return kGeneralWidth;
    case PhysicalType::decimal128:
      return decimal_width(column.values<Int128>()[row], column.type().scale);
    case PhysicalType::fixed16:
      return kUuidWidth;
    case PhysicalType::bytes:
      return column.type().logical == LogicalType::bytea ? (column.text(row).size() + 2) / 3 * 4
                                                         : text_width(column.text(row));
  }
  return 0;
}

}  // namespace

std::vector<std::uint8_t> measure_widths(const RowBatch& batch) {
  std::vector<std::uint8_t> widths;
  widths.reserve(batch.column_count());
  for (std::size_t i = 0; i < batch.column_count(); ++i) {
    const ColumnVector& column = batch.column(i);
    std::size_t widest = 0;
    for (std::size_t row = 0; row < batch.row_count() && widest < kMostMeasured; ++row) {
      if (!column.is_null(row)) widest = std::max(widest, cell_width(column, row));
    }
    widths.push_back(static_cast<std::uint8_t>(std::min(widest, kMostMeasured)));
  }
  return widths;
}

double column_width(std::string_view header, std::uint8_t measured) {
  constexpr double kNarrowest = 6;
  constexpr double kWidest = 60;
  constexpr double kMargin = 1.7;        // what Excel keeps free at both sides, and proportional digits
  constexpr double kFilterButton = 3.3;  // bold letters and the button
  const double wanted = std::max(static_cast<double>(text_width(header)) * 1.1 + kFilterButton, measured + kMargin);
  return std::round(std::clamp(wanted, kNarrowest, kWidest) * 100) / 100;
}

}  // namespace longshore
