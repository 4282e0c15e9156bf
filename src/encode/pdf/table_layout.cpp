#include "pdf/table_layout.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>

#include "pdf/column_widths.h"
#include "pdf/text_lines.h"
#include "pdf/text_shaper.h"
#include "pdf/title_block.h"

namespace longshore {
namespace {

constexpr int kLargestFont = 80;
constexpr int kGroupedFont = 70;  ///< where columns go on over pages: then there is room for a readable size
constexpr int kGroupedText = 16 * kUnitsPerEm;  ///< room that a column of text gets there
constexpr int kMaxExtra = 900;  ///< a column never stretches by more than this for the sake of a full page
constexpr int kMaxTenths = 0xFFFF;

int tenths(int units, int font_size) {
  return text_tenths(units, font_size);
}

PageSize oriented(PdfPageSize size, bool landscape) {
  const PageSize upright = page_size(size);
  return landscape ? PageSize{upright.height, upright.width} : upright;
}

/// Room for the columns' text on a page, if `count` of them share it.
int room_for_text(const TableLayout& layout, std::size_t count) {
  return layout.page.width - 2 * kSideMargin - static_cast<int>(count) * 2 * layout.column_padding();
}

template <class Width>
bool fits(const TableLayout& layout, const std::vector<ColumnWidths>& widths, Width width) {
  std::int64_t total = 0;
  for (const ColumnWidths& each : widths) total += tenths(each.*width, layout.font_size);
  return total <= room_for_text(layout, widths.size());
}

/// Sets page and font size; returns whether all columns fit on one page.
bool choose_page(const PdfOptions& options, const std::vector<ColumnWidths>& widths, TableLayout& layout) {
  using Width = int ColumnWidths::*;
  struct Attempt {
    bool landscape;
    int font_size;
    Width width;
  };
  std::vector<Attempt> attempts;
  const bool automatic = options.orientation == PdfOrientation::automatic;
  const bool landscape = options.orientation != PdfOrientation::portrait;
  if (automatic) {
    attempts.push_back({false, kLargestFont, &ColumnWidths::ideal});
    attempts.push_back({false, 75, &ColumnWidths::ideal});
  }
  for (const int size : {kLargestFont, 75, 70}) attempts.push_back({landscape, size, &ColumnWidths::ideal});
  for (const int size : {75, 70, 65, 60}) attempts.push_back({landscape, size, &ColumnWidths::least});
  for (const Attempt& attempt : attempts) {
    layout.page = oriented(options.page_size, attempt.landscape);
    layout.font_size = attempt.font_size;
    if (fits(layout, widths, attempt.width)) return true;
  }
  layout.font_size = kGroupedFont;
  return false;
}

/// Deals columns out to pages.
std::vector<std::vector<std::size_t>> deal_columns(const TableLayout& layout, const std::vector<ColumnWidths>& widths) {
  const auto wanted = [&](std::size_t column) {
    return std::min(
        tenths(std::max(widths[column].least, std::min(widths[column].ideal, kGroupedText)), layout.font_size),
        room_for_text(layout, 1));
  };
  // The first column tells which row one is looking at; it is worth a quarter of every page.
  const bool repeat_first = wanted(0) <= room_for_text(layout, 1) / 4;
  std::vector<std::vector<std::size_t>> groups;
  int left = 0;
  for (std::size_t column = 0; column < widths.size(); ++column) {
    const int cost = wanted(column) + 2 * layout.column_padding();
    if (groups.empty() || cost > left) {
      groups.emplace_back();
      left = room_for_text(layout, 0);
      if (repeat_first && column > 0) {
        groups.back().push_back(0);
        left -= wanted(0) + 2 * layout.column_padding();
      }
    }
    groups.back().push_back(column);
    left -= cost;
  }
  return groups;
}

/// Raises each of `widths` towards its target, all by the same share of what they lack, until `left` is used up.
void grow(std::vector<int>& widths, const std::vector<int>& targets, int& left) {
  std::int64_t lack = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) lack += std::max(0, targets[i] - widths[i]);
  if (lack == 0 || left <= 0) return;
  const std::int64_t given = std::min<std::int64_t>(lack, left);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const auto more = static_cast<int>(std::max(0, targets[i] - widths[i]) * given / lack);
    widths[i] += more;
    left -= more;
  }
}

PageColumns place_columns(const TableLayout& layout, const std::vector<std::size_t>& group,
                          const std::vector<ReportColumn>& columns, const std::vector<ColumnWidths>& measured) {
  const int room = room_for_text(layout, group.size());
  std::vector<int> widths, ideal, natural;
  for (const std::size_t column : group) {
    widths.push_back(std::min(tenths(measured[column].least, layout.font_size), room));
    ideal.push_back(tenths(measured[column].ideal, layout.font_size));
    natural.push_back(tenths(measured[column].natural, layout.font_size));
  }
  int left = room - std::accumulate(widths.begin(), widths.end(), 0);
  grow(widths, ideal, left);
  grow(widths, natural, left);
  const int extra = std::clamp(left / static_cast<int>(widths.size()), 0, kMaxExtra);
  PageColumns result;
  int x = layout.table_left();
  for (std::size_t i = 0; i < group.size(); ++i) {
    // Behind text there may be room for longer text. Numbers are set to the right: room behind them parts them from
    // the next column.
    const bool gap = columns[group[i]].numeric && i + 1 < group.size();
    result.push_back({group[i], x + layout.column_padding(), widths[i] + (gap ? 0 : extra)});
    x += widths[i] + extra + 2 * layout.column_padding();
  }
  return result;
}

/// A name as break_lines() reads it: it may be broken behind `_` and before the capitals of camelCase.
struct HeaderText {
  const std::u32string& text;
  const FontSet& fonts;

  std::size_t size() const { return text.size(); }
  int advance(std::size_t i) const {
    const FontFace& bold = fonts.face(kBoldFont);
    const std::uint32_t glyph = bold.glyph(text[i]);
    return glyph != 0 ? bold.advance(glyph) : kUnitsPerEm;
  }
  LineBreak line_break(std::size_t i) const {
    const auto is_lower = [](char32_t c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const bool capital_follows = i + 1 < text.size() && text[i + 1] >= 'A' && text[i + 1] <= 'Z';
    if (is_lower(text[i]) && capital_follows) return LineBreak::after_symbol;
    return line_break_after(text[i]);
  }
};

}  // namespace

std::vector<std::string> header_lines(const std::string& name, int units, const FontSet& fonts) {
  const std::u32string text = decode_utf8(clean_text(name));
  std::vector<TextLine> lines;
  const FontFace& bold = fonts.face(kBoldFont);
  break_lines(HeaderText{text, fonts}, units, kMaxHeaderLines, bold.advance(bold.glyph(0x2026)), false, lines);
  std::vector<std::string> result;
  result.reserve(lines.size());
  for (const TextLine& line : lines) {
    result.push_back(encode_utf8(std::u32string_view(text).substr(line.begin, line.end - line.begin)) +
                     (line.ellipsis ? "\u2026" : ""));
  }
  return result;
}

TableLayout choose_layout(const ExportSpec& spec, const ReportText& text, std::vector<ReportColumn>& columns,
                          std::size_t rows, const FontSet& fonts) {
  TableLayout layout;
  const std::vector<ColumnWidths> widths = measure_columns(columns, rows, fonts);
  std::vector<std::vector<std::size_t>> groups(1, std::vector<std::size_t>(columns.size()));
  std::iota(groups.front().begin(), groups.front().end(), std::size_t{0});
  if (!choose_page(spec.pdf, widths, layout)) groups = deal_columns(layout, widths);
  std::size_t header = 1;
  for (const std::vector<std::size_t>& group : groups) {
    layout.groups.push_back(place_columns(layout, group, columns, widths));
    for (const TableSlot& slot : layout.groups.back()) {
      const int units = text_units(slot.width, layout.font_size);
      header = std::max(header, header_lines(columns[slot.column].cell.name, units, fonts).size());
    }
  }
  layout.header_height = layout.row_height(header) + layout.row_padding();
  layout.title_height = TitleBlock(text, fonts, layout.page).height();
  return layout;
}

void write_layout(const TableLayout& layout, DetailWriter& out) {
  for (const int value :
       {layout.page.width, layout.page.height, layout.font_size, layout.title_height, layout.header_height}) {
    out.number(static_cast<std::uint64_t>(value));
  }
  out.number(layout.groups.size());
  for (const PageColumns& group : layout.groups) {
    out.number(group.size());
    for (const TableSlot& slot : group) {
      out.number(slot.column);
      out.number(static_cast<std::uint64_t>(slot.left));
      out.number(static_cast<std::uint64_t>(slot.width));
    }
  }
}

Result<TableLayout> read_layout(DetailReader& in, std::size_t columns) {
  TableLayout layout;
  const auto length = [&] { return static_cast<int>(in.number(kMaxTenths)); };
  for (int* value :
       {&layout.page.width, &layout.page.height, &layout.font_size, &layout.title_height, &layout.header_height}) {
    *value = length();
  }
  layout.groups.resize(in.count());
  for (PageColumns& group : layout.groups) {
    group.resize(in.count());
    for (TableSlot& slot : group) {
      slot.column = in.number(columns - 1);
      slot.left = length();
      slot.width = length();
    }
    if (group.empty()) return fail(internal_error("bad_pdf_detail", "a page of the stored layout has no columns"));
  }
  if (in.failed() || layout.groups.empty() || layout.font_size <= 0) {
    return fail(internal_error("bad_pdf_detail", "the stored layout cannot be read"));
  }
  return layout;
}

}  // namespace longshore
