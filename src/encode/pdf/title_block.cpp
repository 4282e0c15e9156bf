#include "pdf/title_block.h"

#include <algorithm>

namespace longshore {
namespace {

constexpr int kTitleSize = 170;
constexpr int kTitlePitch = 215;
constexpr int kTextSize = 80;
constexpr int kTextPitch = 125;
constexpr int kLabelWidth = 620;
constexpr int kGutter = 200;
constexpr std::size_t kMaxFilterLines = 8;
constexpr std::size_t kMaxLinesOfAFilter = 3;

}  // namespace

TitleBlock::TitleBlock(const ReportText& text, const FontSet& fonts, const PageSize& page)
    : page_(page), shaper_(fonts) {
  const int left = kSideMargin;
  const int width = page.width - 2 * kSideMargin;
  int y = kTitleSize;
  y += kTitlePitch *
       static_cast<int>(add(text.title, {kBoldFont, kTitleSize, kTitleInk}, left, y, width, kTitlePitch, 2));
  y -= kTitlePitch - 130;
  if (!text.description.empty()) {
    const Style quiet{kRegularFont, kTextSize, kQuietInk};
    y += 20 + kTextPitch * static_cast<int>(add(text.description, quiet, left, y + 20, width, kTextPitch, 2));
  }
  rule_y_ = y;
  y += 180;
  const int facts = width * 9 / 20;
  const int facts_end = add_facts(text, left, facts - kGutter, y);
  const int filters_end = add_filters(text, left + facts, width - facts, y);
  height_ = std::max(facts_end, filters_end) + 110;
}

std::size_t TitleBlock::add(std::string_view text, const Style& style, int x, int y, int width, int pitch,
                            std::size_t max_lines) {
  ShapedText shaped = shaper_.shape(text, style.font, text_units(width, style.size), max_lines);
  for (ShapedLine& line : shaped.lines) {
    const int left =
        shaped.right_to_left && style.font == kBoldFont ? x + width - text_tenths(line.width, style.size) : x;
    pieces_.push_back({left, y, style.size, style.ink, std::move(line)});
    y += pitch;
  }
  return shaped.lines.size();
}

int TitleBlock::add_facts(const ReportText& text, int left, int width, int y) {
  const Style label{kRegularFont, kTextSize, kQuietInk};
  const Style value{kRegularFont, kTextSize, kInk};
  const auto fact = [&](std::string_view name, const std::string& shown) {
    add(name, label, left, y, kLabelWidth, kTextPitch, 1);
    add(shown, value, left + kLabelWidth, y, width - kLabelWidth, kTextPitch, 1);
    y += kTextPitch;
  };
  fact("Dataset", text.dataset);
  rows_x_ = left + kLabelWidth;
  rows_y_ = y;
  fact("Rows", "");
  fact("Generated", text.generated);
  fact("Time zone", text.time_zone);
  return y;
}

int TitleBlock::add_filters(const ReportText& text, int left, int width, int y) {
  const Style value{kRegularFont, kTextSize, kInk};
  add("Filters", {kRegularFont, kTextSize, kQuietInk}, left, y, kLabelWidth, kTextPitch, 1);
  left += kLabelWidth * 3 / 4;
  width -= kLabelWidth * 3 / 4;
  if (text.filters.empty()) {
    add("None: all rows", value, left, y, width, kTextPitch, 1);
    return y + kTextPitch;
  }
  std::size_t lines = 0;
  for (std::size_t i = 0; i < text.filters.size(); ++i) {
    const std::size_t more = text.filters.size() - i;
    if (lines + 1 >= kMaxFilterLines && more > 1) {
      add("and " + std::to_string(more) + " more", value, left, y, width, kTextPitch, 1);
      return y + kTextPitch;
    }
    const std::size_t room = std::min(kMaxLinesOfAFilter, kMaxFilterLines - lines);
    const std::size_t added = add(text.filters[i], value, left, y, width, kTextPitch, room);
    lines += added;
    y += static_cast<int>(added) * kTextPitch;
  }
  return y;
}

void TitleBlock::draw(std::int64_t rows, PageContent& page, GlyphUse& use) {
  const int top = page_.height - kTopMargin;
  page.rectangle(kSideMargin, top - rule_y_, page_.width - 2 * kSideMargin, 12);
  const auto show = [&](const Piece& piece) {
    page.set_font_size(piece.font_size);
    page.set_colour(piece.ink);
    page.show_shaped(piece.x, top - piece.y, piece.line, use);
  };
  for (const Piece& piece : pieces_) {
    show(piece);
    // In reading order, so that it is copied beside its label.
    if (piece.y == rows_y_ && piece.x == kSideMargin) {
      show({rows_x_, rows_y_, kTextSize, kInk, shaper_.shape_line(grouped_digits(rows), kRegularFont)});
    }
  }
}

}  // namespace longshore
