#pragma once

#include <cstdint>

#include "model/export_spec.h"
#include "pdf/font_face.h"

namespace longshore {

// Pages are measured in tenths of a point (1/720 inch), from the lower left corner: whole numbers are short in the file
// and quick to write, and 0.035 mm is finer than the eye. The first operator of each page scales them.

/// Text is set at 90 % of its width, which is what makes DejaVu Sans "Condensed".
inline constexpr int kTextWidthPercent = 90;
/// Units of text and percents of its width in a tenth of a point at font size 1.
inline constexpr std::int64_t kUnitsPerTenth = std::int64_t{100} * kUnitsPerEm;

/// The length of text of `units` (kUnitsPerEm) at a font size, rounded up. Both in tenths of a point.
constexpr int text_tenths(std::int64_t units, int font_size) {
  const std::int64_t scaled = units * font_size * kTextWidthPercent;
  return static_cast<int>((scaled + kUnitsPerTenth - 1) / kUnitsPerTenth);
}
/// The longest text (kUnitsPerEm) that fits into a length.
constexpr int text_units(int tenths, int font_size) {
  return static_cast<int>(tenths * kUnitsPerTenth / (std::int64_t{font_size} * kTextWidthPercent));
}

struct PageSize {
  int width = 0;
  int height = 0;
};

/// Upright. ISO 216 and ANSI sizes.
constexpr PageSize page_size(PdfPageSize size) {
  switch (size) {
    case PdfPageSize::a4:
      return {5953, 8419};
    case PdfPageSize::a3:
      return {8419, 11906};
    case PdfPageSize::letter:
      return {6120, 7920};
    case PdfPageSize::legal:
      return {6120, 10080};
  }
  return {};
}

inline constexpr int kSideMargin = 400;
inline constexpr int kTopMargin = 400;
inline constexpr int kBottomMargin = 480;    ///< rows end above it, the footer stands in it
inline constexpr int kFooterBaseline = 290;  ///< above the page's lower edge
inline constexpr int kFooterFontSize = 70;
inline constexpr int kPageRangeHeight = 150;  ///< room for "Columns 1–9 of 25", where columns go on over pages

}  // namespace longshore
