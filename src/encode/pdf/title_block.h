#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pdf/font_set.h"
#include "pdf/glyph_use.h"
#include "pdf/page_content.h"
#include "pdf/page_geometry.h"
#include "pdf/report_text.h"
#include "pdf/text_shaper.h"

namespace longshore {

/// What stands above the table on the first page: title, dataset, how many rows, when it was made, and of which rows.
class TitleBlock {
 public:
  TitleBlock(const ReportText& text, const FontSet& fonts, const PageSize& page);

  /// In tenths of a point, the gap below it included.
  int height() const { return height_; }
  /// Draws it at the top of the page. `rows`: of the whole file.
  void draw(std::int64_t rows, PageContent& page, GlyphUse& use);

 private:
  struct Piece {
    int x = 0;
    int y = 0;  ///< of the baseline, below the top margin
    int font_size = 0;
    std::string_view ink;
    ShapedLine line;
  };
  struct Style {
    FontId font = kRegularFont;
    int size = 0;
    std::string_view ink;
  };

  /// Adds lines from `y` on, `pitch` apart; returns how many.
  std::size_t add(std::string_view text, const Style& style, int x, int y, int width, int pitch, std::size_t max_lines);
  int add_facts(const ReportText& text, int left, int width, int y);
  int add_filters(const ReportText& text, int left, int width, int y);

  PageSize page_;
  TextShaper shaper_;
  std::vector<Piece> pieces_;
  int rows_x_ = 0;
  int rows_y_ = 0;
  int rule_y_ = 0;
  int height_ = 0;
};

}  // namespace longshore
