#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pdf/font_set.h"
#include "pdf/glyph_use.h"
#include "pdf/page_content.h"
#include "pdf/page_geometry.h"
#include "pdf/text_lines.h"
#include "pdf/text_shaper.h"

namespace longshore {

/// A cell shows at most so many lines; what is longer ends with an ellipsis and counts as truncated.
inline constexpr std::size_t kMaxCellLines = 6;

/// Where the text of a cell goes. Lengths in tenths of a point.
struct CellPlace {
  int left = 0;
  int width = 0;
  int baseline = 0;    ///< of the first line
  int units = 0;       ///< the width in kUnitsPerEm
  bool right = false;  ///< set to the right
};

/// What was done to a value in order to show it.
struct CellChanges {
  bool truncated = false;
  bool replaced = false;
};

/// Draws the text of cells in the regular font: most in one go as bytes, long text in lines, what Latin-1 lacks by
/// glyphs, what runs from right to left or joins by shaping. Not thread-safe.
class CellPainter {
 public:
  /// Sizes in tenths of a point.
  CellPainter(const FontSet& fonts, int font_size, int line_height);

  /// Returns how many lines the cell takes, 1 to kMaxCellLines. `text`: any bytes.
  std::size_t paint(std::string_view text, const CellPlace& place, PageContent& page, GlyphUse& use,
                    CellChanges& changes) {
    // So few bytes fit even if all were as wide as an em, and their own widths need not be known.
    const bool surely_fits =
        !place.right && text.size() <= kShortText && static_cast<int>(text.size()) * kUnitsPerEm <= place.units;
    if (surely_fits && page.show_if_plain(place.left, place.baseline, text)) [[likely]]
      return 1;
    const Measure measure = measure_ascii(text, place.units);
    if (measure.width <= place.units && (measure.flags & (kControl | kHigh)) == 0) [[likely]] {
      const int x = place.right ? place.left + place.width - text_tenths(measure.width, font_size_) : place.left;
      if (text.empty()) return 1;
      if ((measure.flags & kEscape) == 0) {
        page.show_plain(x, place.baseline, text);
      } else {
        page.show_bytes(x, place.baseline, text);
      }
      return 1;
    }
    return paint_lines(text, place, page, use, changes);
  }

  /// The same for text that is plain whatever the value: of digits, letters and signs of dates, times and floats.
  std::size_t paint_plain(std::string_view text, const CellPlace& place, PageContent& page, GlyphUse& use,
                          CellChanges& changes) {
    if (place.right || static_cast<int>(text.size()) * widest_plain_ > place.units) [[unlikely]]
      return paint(text, place, page, use, changes);
    page.show_plain(place.left, place.baseline, text);
    return 1;
  }
  /// The same for digits, with a point before the last ones if `has_point`, and perhaps a minus sign: digits are
  /// equally wide. `text` is not empty.
  std::size_t paint_digits(std::string_view text, bool has_point, const CellPlace& place, PageContent& page,
                           GlyphUse& use, CellChanges& changes) {
    const int width = static_cast<int>(text.size()) * digit_ - (text.front() == '-' ? digit_ - minus_ : 0) -
                      (has_point ? digit_ - point_ : 0);
    if (width > place.units) [[unlikely]]
      return paint(text, place, page, use, changes);
    page.show_plain(place.left + place.width - text_tenths(width, font_size_), place.baseline, text);
    return 1;
  }

  /// How wide a text would be, in kUnitsPerEm, broken only where it has line feeds. Counts at most `limit` and a
  /// little.
  int natural_width(std::string_view text, int limit);

 private:
  static constexpr std::uint32_t kEscape = 0x10000;
  static constexpr std::uint32_t kControl = 0x20000;
  static constexpr std::uint32_t kHigh = 0x40000;

  struct Measure {
    int width = 0;
    std::uint32_t flags = 0;
  };
  /// Stops soon after `limit` is passed.
  Measure measure_ascii(std::string_view text, int limit) const {
    Measure measure;
    const auto* byte = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = byte + text.size();
    while (end - byte > kMeasureStep) {
      std::uint32_t sum = 0;
      for (int i = 0; i < kMeasureStep; ++i) {
        const std::uint32_t entry = ascii_[byte[i]];
        sum += entry & 0xFFFF;
        measure.flags |= entry;
      }
      byte += kMeasureStep;
      measure.width += static_cast<int>(sum);
      if (measure.width > limit) return measure;
    }
    std::uint32_t sum = 0;
    for (; byte != end; ++byte) {
      const std::uint32_t entry = ascii_[*byte];
      sum += entry & 0xFFFF;
      measure.flags |= entry;
    }
    measure.width += static_cast<int>(sum);
    return measure;
  }
  static constexpr int kMeasureStep = 32;

  std::size_t paint_lines(std::string_view text, const CellPlace& place, PageContent& page, GlyphUse& use,
                          CellChanges& changes);
  std::size_t paint_ascii(std::string_view text, bool escape, bool cut, const CellPlace& place, PageContent& page,
                          GlyphUse& use, CellChanges& changes);
  std::size_t paint_direct(bool cut, const CellPlace& place, PageContent& page, GlyphUse& use, CellChanges& changes);
  std::size_t paint_shaped(std::string_view text, bool cut, const CellPlace& place, PageContent& page, GlyphUse& use,
                           CellChanges& changes);
  /// Fills characters_; false when one of them wants shaping.
  bool look_up(std::string_view text);
  int line_left(const CellPlace& place, int width, bool right) const;

  const FontSet& fonts_;
  int font_size_;
  int line_height_;
  CharacterInfo ellipsis_;
  std::array<std::uint32_t, 256> ascii_{};  ///< advance and flags
  std::array<LineBreak, 128> breaks_{};
  int widest_plain_ = 0;
  int digit_ = 0;
  int minus_ = 0;
  int point_ = 0;
  TextShaper shaper_;

  // Scratch.
  std::string repaired_;
  std::string spelled_;
  std::vector<CharacterInfo> characters_;
  std::vector<TextLine> lines_;
};

}  // namespace longshore
