#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pdf/font_set.h"

namespace longshore {

/// A run of a text's characters, by index.
struct TextLine {
  std::size_t begin = 0;
  std::size_t end = 0;  ///< without the blanks at which the line was broken
  int width = 0;        ///< in kUnitsPerEm, an ellipsis included
  bool ellipsis = false;
};

/// Breaks a text into lines no wider than `limit`: at spaces if that fills a line well enough, else behind symbols,
/// else anywhere. At least one character stands in each line. What does not fit into `max_lines` is cut and an ellipsis
/// put behind it. Returns whether anything was cut.
///
/// `Text`: `size()`, `advance(i)` (in kUnitsPerEm) and `line_break(i)` (after character i). `cut`: there was more text
/// than `text` holds.
template <class Text>
bool break_lines(const Text& text, int limit, std::size_t max_lines, int ellipsis_width, bool cut,
                 std::vector<TextLine>& lines) {
  lines.clear();
  const std::size_t size = text.size();
  std::size_t begin = 0;
  while (begin < size) {
    int width = 0;
    std::size_t i = begin;
    std::size_t space = begin, symbol = begin;  // ends of the line if broken there
    int space_width = 0, symbol_width = 0;
    bool forced = false;
    for (; i < size; ++i) {
      const LineBreak kind = text.line_break(i);
      if (kind == LineBreak::mandatory) {
        forced = true;
        break;
      }
      if (kind == LineBreak::after_space) {
        space = i;
        space_width = width;
      } else if (width + text.advance(i) > limit && i > begin) {
        break;
      }
      width += text.advance(i);
      if (kind == LineBreak::after_symbol) {
        symbol = i + 1;
        symbol_width = width;
      }
    }
    TextLine line{begin, i, width, false};
    std::size_t next = i;
    if (forced) {
      next = i + 1;
    } else if (i < size) {
      // A line of less than half the width looks torn; then a symbol further on is the better place.
      const bool good_space = space > begin && (space_width * 2 >= limit || symbol <= space);
      if (good_space) {
        line.end = next = space;
        line.width = space_width;
      } else if (symbol > begin) {
        line.end = next = symbol;
        line.width = symbol_width;
      }
      while (next < size && text.line_break(next) == LineBreak::after_space) ++next;
    }
    while (line.end > line.begin && text.line_break(line.end - 1) == LineBreak::after_space) {
      line.width -= text.advance(--line.end);
    }
    lines.push_back(line);
    begin = next;
    if (lines.size() == max_lines) break;
  }
  if (begin >= size && !cut) return false;
  if (lines.empty()) lines.emplace_back();
  TextLine& last = lines.back();
  while (last.end > last.begin && last.width + ellipsis_width > limit) last.width -= text.advance(--last.end);
  last.width += ellipsis_width;
  last.ellipsis = true;
  return true;
}

}  // namespace longshore
