#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pdf/font_set.h"

namespace longshore {

/// A glyph where it stands; lengths in kUnitsPerEm.
struct PlacedGlyph {
  std::uint16_t glyph = 0;
  std::int32_t advance = 0;   ///< to the next glyph
  std::int32_t x_offset = 0;  ///< of this one only, as for a mark over a letter
  std::int32_t y_offset = 0;
  std::string text;  ///< UTF-8 that it stands for, if the font knows no code point for it; may be empty
};

/// Glyphs of one font, from left to right.
struct GlyphRun {
  FontId font = kRegularFont;
  std::vector<PlacedGlyph> glyphs;
  /// UTF-8 in reading order, where the glyphs alone do not say it: it must be given beside them (ActualText). Runs from
  /// right to left that need it are of one cluster each, so that nobody has to guess at an order.
  std::string actual_text;
};

struct ShapedLine {
  std::vector<GlyphRun> runs;  ///< from left to right
  int width = 0;               ///< in kUnitsPerEm
};

struct ShapedText {
  std::vector<ShapedLine> lines;
  bool right_to_left = false;  ///< the first strong character is
  bool truncated = false;      ///< more text than lines: an ellipsis was put at the end
  bool missing = false;        ///< a character that no font has is shown as a box
};

/// Turns any Unicode text into placed glyphs, by the Unicode Bidirectional Algorithm (FriBidi) and OpenType shaping
/// (HarfBuzz). Exact for every script, and slow; plain text need not come here. Not thread-safe.
class TextShaper {
 public:
  explicit TextShaper(const FontSet& fonts);
  ~TextShaper();
  TextShaper(const TextShaper&) = delete;
  TextShaper& operator=(const TextShaper&) = delete;

  /// `text`: UTF-8 without control characters but LF, which ends a line. Lines are at most `limit` wide.
  ShapedText shape(std::string_view text, FontId font, int limit, std::size_t max_lines);
  /// All in one line, however long.
  ShapedLine shape_line(std::string_view text, FontId font);

 private:
  struct Item;
  struct Paragraph;
  struct Buffer;

  void itemize(Paragraph& paragraph, FontId font) const;
  void shape_runs(Paragraph& paragraph);
  ShapedLine cut_line(const Paragraph& paragraph, std::size_t begin, std::size_t end) const;
  void add_runs(const Paragraph& paragraph, const Item& item, std::size_t begin, std::size_t end,
                ShapedLine& line) const;
  void append_ellipsis(ShapedLine& line, bool right_to_left, FontId font) const;

  const FontSet& fonts_;
  std::unique_ptr<Buffer> buffer_;
};

/// The characters of UTF-8 text. REQUIRES: `text` is well-formed.
std::u32string decode_utf8(std::string_view text);
std::string encode_utf8(std::u32string_view text);

}  // namespace longshore
