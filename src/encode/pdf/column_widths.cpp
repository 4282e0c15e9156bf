#include "pdf/column_widths.h"

#include <algorithm>
#include <string>

#include "pdf/cell_painter.h"
#include "pdf/report_text.h"
#include "pdf/table_layout.h"

namespace longshore {
namespace {

constexpr int kEm = kUnitsPerEm;
constexpr std::size_t kSampleRows = 1000;
constexpr int kDigit = kEm * 65 / 100;  ///< a little more than a digit's advance

/// Text up to this stays in one line where possible; longer text is broken.
constexpr int kLeastText = 13 * kEm;
constexpr int kIdealText = 26 * kEm;
constexpr int kNaturalText = 70 * kEm;
/// Numbers are not broken unless they are longer than this.
constexpr int kMaxWhole = 30 * kEm;
constexpr int kOneLineHeader = 11 * kEm;

struct HeaderWidths {
  int whole = 0;
  int widest_word = 0;
};

/// Names may be broken behind `_` and before the capitals of camelCase.
HeaderWidths measure_header(const std::string& name, const FontSet& fonts) {
  const FontFace& bold = fonts.face(kBoldFont);
  HeaderWidths widths;
  int word = 0;
  char32_t before = 0;
  for (const char32_t c : decode_utf8(clean_text(name))) {
    const bool border =
        before == '_' || before == ' ' || before == '-' || (c >= 'A' && c <= 'Z' && before >= 'a' && before <= 'z');
    if (border) word = 0;
    const int advance = bold.glyph(c) != 0 ? bold.advance(bold.glyph(c)) : kEm;
    word += advance;
    widths.whole += advance;
    widths.widest_word = std::max(widths.widest_word, word);
    before = c;
  }
  return widths;
}

/// The widest and the ninth of ten of a column's cells.
std::pair<int, int> measure_cells(ReportColumn& column, std::size_t rows, CellPainter& painter) {
  std::vector<int> widths;
  const std::size_t step = std::max<std::size_t>(1, rows / kSampleRows);
  for (std::size_t row = 0; row < rows; row += step) {
    if (!column.is_null(row)) widths.push_back(painter.natural_width(column.text(column, row), kNaturalText));
  }
  if (widths.empty()) return {0, 0};
  std::sort(widths.begin(), widths.end());
  return {widths.back(), widths[widths.size() * 9 / 10]};
}

}  // namespace

std::vector<ColumnWidths> measure_columns(std::vector<ReportColumn>& columns, std::size_t rows, const FontSet& fonts) {
  CellPainter painter(fonts, 80, 100);
  std::vector<ColumnWidths> result;
  for (ReportColumn& column : columns) {
    const HeaderWidths header = measure_header(column.cell.name, fonts);
    const int header_room = header.whole <= kOneLineHeader ? header.whole : std::min(header.widest_word, kLeastText);
    auto [widest, most] = measure_cells(column, rows, painter);
    // Ids and sums grow.
    if (column.numeric && widest > 0) widest += kDigit;
    ColumnWidths widths;
    widths.natural = std::min(std::max(widest, header.whole), kNaturalText);
    if (column.wraps) {
      widths.least = std::min(widest, kLeastText);
      widths.ideal = std::min(std::max({most, widest * 2 / 3, kLeastText}), std::min(widest, kIdealText));
    } else {
      widths.least = widths.ideal = std::min(widest, kMaxWhole);
    }
    widths.least = std::max({widths.least, std::min(header.widest_word, kLeastText), 2 * kEm});
    widths.ideal = std::max({widths.ideal, header_room, widths.least});
    widths.natural = std::max(widths.natural, widths.ideal);
    result.push_back(widths);
  }
  return result;
}

}  // namespace longshore
