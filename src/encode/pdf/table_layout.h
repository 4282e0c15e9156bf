#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "model/export_spec.h"
#include "pdf/detail_codec.h"
#include "pdf/font_set.h"
#include "pdf/page_geometry.h"
#include "pdf/report_column.h"
#include "pdf/report_text.h"

namespace longshore {

/// A column on a page. Lengths in tenths of a point.
struct TableSlot {
  std::size_t column = 0;
  int left = 0;   ///< of its text
  int width = 0;  ///< of its text
};

/// The columns that stand side by side on one page. Columns that find no room go on over further pages: then the rows
/// of each page are repeated on the next with other columns, the first column with all of them.
using PageColumns = std::vector<TableSlot>;

/// How a report's pages look; decided once, from the names of the columns and the first rows, and kept for the file.
struct TableLayout {
  PageSize page;
  int font_size = 80;
  int title_height = 0;   ///< of the block above the table on the first pages
  int header_height = 0;  ///< of the header row
  std::vector<PageColumns> groups;

  int line_height() const { return font_size * 5 / 4; }
  int row_padding() const { return font_size * 5 / 16; }  ///< above and below a row's text
  int column_padding() const { return font_size / 2; }    ///< left and right of a cell's text
  int row_height(std::size_t lines) const { return static_cast<int>(lines) * line_height() + 2 * row_padding(); }
  /// From a row's upper edge to its first baseline.
  int baseline_drop() const { return row_padding() + font_size * 15 / 16; }
  /// Upper edge of the header row.
  int table_top(bool first) const {
    return page.height - kTopMargin - (first ? title_height : 0) - (groups.size() > 1 ? kPageRangeHeight : 0);
  }
  /// Upper edge of the first row.
  int rows_top(bool first) const { return table_top(first) - header_height; }
  /// Rows of one line that a page, but for the first ones, has room for.
  int full_page_rows() const { return (rows_top(false) - kBottomMargin) / row_height(1); }
  int table_left() const { return kSideMargin; }
  int table_width(std::size_t group) const {
    const TableSlot& last = groups[group].back();
    return last.left + last.width + column_padding() - table_left();
  }
};

/// A header cell, broken into lines.
std::vector<std::string> header_lines(const std::string& name, int units, const FontSet& fonts);
inline constexpr std::size_t kMaxHeaderLines = 4;

/// Chooses orientation, font size, widths and page groups. The columns' values of `rows` rows are measured; 0: there
/// are none. REQUIRES: the columns are bound to a batch of that many rows.
TableLayout choose_layout(const ExportSpec& spec, const ReportText& text, std::vector<ReportColumn>& columns,
                          std::size_t rows, const FontSet& fonts);

void write_layout(const TableLayout& layout, DetailWriter& out);
/// `columns`: how many the export has. Errors: `bad_pdf_detail` (internal).
Result<TableLayout> read_layout(DetailReader& in, std::size_t columns);

}  // namespace longshore
