#include "pdf/page_forms.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>
#include <string>

#include "pdf/page_content.h"
#include "pdf/page_geometry.h"
#include "pdf/text_shaper.h"
#include "pdf/title_block.h"

namespace longshore {
namespace {

constexpr std::string_view kTextWidth = "90 Tz\n";
static_assert(kTextWidthPercent == 90);
constexpr int kHairline = 5;
/// Bytes that draw_form() and end_page() format at most.
constexpr std::size_t kPageEndsRoom = 256;
constexpr int kLargeNote = 90;

/// A piece of text in one line, cut with an ellipsis if need be; set to the right of `x` when `right`.
struct Label {
  std::string_view text;
  FontId font = kRegularFont;
  int x = 0;
  int y = 0;
  int width = 0;
  bool right = false;
};

void show_label(const Label& label, int font_size, TextShaper& shaper, PageContent& page, GlyphUse& use) {
  const ShapedText shaped = shaper.shape(label.text, label.font, text_units(label.width, font_size), 1);
  if (shaped.lines.empty()) return;
  const ShapedLine& line = shaped.lines.front();
  page.show_shaped(label.right ? label.x - text_tenths(line.width, font_size) : label.x, label.y, line, use);
}

/// Where "Page 3 of" ends and the number of pages begins.
int page_count_left(const TableLayout& layout) {
  return layout.page.width / 2 + 170;
}

}  // namespace

void draw_title(const ReportText& text, const FontSet& fonts, const TableLayout& layout, std::int64_t rows,
                GlyphUse& use, ByteBuffer& out) {
  PageContent content(fonts);
  TitleBlock(text, fonts, layout.page).draw(rows, content, use);
  out.append(kTextWidth);
  content.take(kRule, kInk, out);
}

void draw_header(const ExportSpec& spec, const FontSet& fonts, const TableLayout& layout, std::size_t group,
                 GlyphUse& use, ByteBuffer& out) {
  out.append(kTextWidth);
  TextShaper shaper(fonts);
  const int top = layout.table_top(false);
  const int width = layout.table_width(group);
  PageContent rule(fonts);
  rule.rectangle(layout.table_left(), top - layout.header_height, width, 8);
  PageContent content(fonts);
  content.rectangle(layout.table_left(), top - layout.header_height, width, layout.header_height);

  if (layout.groups.size() > 1) {
    const PageColumns& slots = layout.groups[group];
    const std::size_t last = slots.back().column;
    // The first column may be a repetition.
    const bool repeated = group > 0 && slots.size() > 1 && slots[0].column == 0;
    const std::size_t first = slots[repeated ? 1 : 0].column;
    const std::string range = fmt::format("Columns {}\u2013{} of {}", first + 1, last + 1, spec.columns.size());
    content.set_font_size(kFooterFontSize);
    content.set_colour(kQuietInk);
    const int right = layout.page.width - kSideMargin;
    show_label({range, kRegularFont, right, top + 60, right - kSideMargin, true}, kFooterFontSize, shaper, content,
               use);
  }
  content.set_font_size(layout.font_size);
  content.set_colour(kTitleInk);
  for (const TableSlot& slot : layout.groups[group]) {
    const Column& column = spec.columns[slot.column];
    const bool right = is_numeric(column.type);
    const auto lines = header_lines(column.name, text_units(slot.width, layout.font_size), fonts);
    // The last line stands where it stands in every column: names of one line sit right above the rows.
    int y = top - layout.header_height + layout.row_padding() * 3 / 2 + layout.font_size * 5 / 16 +
            (static_cast<int>(lines.size()) - 1) * layout.line_height();
    for (const std::string& line : lines) {
      const int x = right ? slot.left + slot.width : slot.left;
      // Names that were broken are broken already; the width is only the page's.
      show_label({line, kBoldFont, x, y, layout.page.width, right}, layout.font_size, shaper, content, use);
      y -= layout.line_height();
    }
  }
  content.take(kHeaderFill, kInk, out);
  rule.take(kRule, kInk, out);
}

void draw_stripes(const FontSet& fonts, const TableLayout& layout, std::size_t group, ByteBuffer& out) {
  PageContent content(fonts);
  const int height = layout.row_height(1);
  for (int row = 1; row < layout.full_page_rows(); row += 2) {
    content.rectangle(layout.table_left(), layout.rows_top(false) - (row + 1) * height, layout.table_width(group),
                      height);
  }
  content.take(kStripe, kInk, out);
}

void draw_form(std::string_view name, std::size_t group, ByteBuffer& out) {
  char* const begin = out.reserve_back(kPageEndsRoom);
  char* const end = fmt::format_to(begin, FMT_COMPILE("/{}{} Do\n"), name, group);
  out.grow(static_cast<std::size_t>(end - begin));
}

void draw_footer(const ReportText& text, const FontSet& fonts, const TableLayout& layout, std::int64_t pages,
                 GlyphUse& use, ByteBuffer& out) {
  out.append(kTextWidth);
  TextShaper shaper(fonts);
  PageContent content(fonts);
  const int right = layout.page.width - kSideMargin;
  const int third = (right - kSideMargin) / 3;
  content.rectangle(kSideMargin, kFooterBaseline + 120, right - kSideMargin, kHairline);
  content.set_font_size(kFooterFontSize);
  const int y = kFooterBaseline;
  show_label({std::to_string(pages), kRegularFont, page_count_left(layout), y, third, false}, kFooterFontSize, shaper,
             content, use);
  show_label({text.title, kRegularFont, kSideMargin, y, third, false}, kFooterFontSize, shaper, content, use);
  show_label({text.generated, kRegularFont, right, y, third, true}, kFooterFontSize, shaper, content, use);
  content.take(kFineRule, kQuietInk, out);
}

void begin_page(const TableLayout& layout, std::size_t group, bool first, ByteBuffer& out) {
  out.append(".1 0 0 .1 0 0 cm\n");
  out.append(kTextWidth);
  if (!first) {
    draw_form("H", group, out);
    return;
  }
  out.append(fmt::format("/T Do\nq 1 0 0 1 0 {} cm\n", -layout.title_height));
  draw_form("H", group, out);
  out.append("Q\n");
}

void end_page(const FontSet& fonts, const TableLayout& layout, std::int64_t number, ByteBuffer& out) {
  char text[48];
  const std::string_view shown(
      text, static_cast<std::size_t>(fmt::format_to(text, FMT_COMPILE("Page {} of "), number) - text));
  int units = 0;
  for (const char c : shown) units += fonts.ascii_advances()[static_cast<unsigned char>(c)];
  const int x = page_count_left(layout) - text_tenths(units, kFooterFontSize);
  out.append(kQuietInk);
  char* const begin = out.reserve_back(kPageEndsRoom);
  char* const end = fmt::format_to(begin, FMT_COMPILE("BT\n/F0 {} Tf\n{} {} Td({})Tj\nET\n/P Do\n"), kFooterFontSize, x,
                                   kFooterBaseline, shown);
  out.grow(static_cast<std::size_t>(end - begin));
}

void draw_empty_report(const FontSet& fonts, const TableLayout& layout, GlyphUse& use, ByteBuffer& out) {
  begin_page(layout, 0, true, out);
  PageContent content(fonts);
  TextShaper shaper(fonts);
  content.set_font_size(kLargeNote);
  show_label({"There are no rows.", kRegularFont, kSideMargin + layout.column_padding(),
              layout.rows_top(true) - 2 * kLargeNote, layout.page.width, false},
             kLargeNote, shaper, content, use);
  content.take(kStripe, kQuietInk, out);
  end_page(fonts, layout, 1, out);
}

}  // namespace longshore
