#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct hb_font_t;

namespace longshore {

/// All widths and positions of text are counted in 1/2048 of the font size, whatever a font's own units are.
inline constexpr int kUnitsPerEm = 2048;

/// What a PDF font descriptor says of a font, in 1/1000 of the font size (ISO 32000-1, 9.8).
struct FontMetrics {
  int ascent = 0;
  int descent = 0;  ///< below the baseline: negative
  int cap_height = 0;
  int box[4] = {};  ///< left, bottom, right, top of all glyphs
  bool fixed_pitch = false;
};

/// One TrueType font (outlines in `glyf`). Immutable, thread-safe.
class FontFace {
 public:
  /// `bytes` must outlive the face. Errors: `bad_font`.
  static Result<std::shared_ptr<const FontFace>> from_memory(std::string_view bytes, const std::string& name);
  /// Maps the file into memory; of a collection the first font is taken. Errors: `bad_font` (user): not there, no
  /// TrueType outlines, or its licence bits forbid embedding.
  static Result<std::shared_ptr<const FontFace>> from_file(const std::string& path);
  ~FontFace();
  FontFace(const FontFace&) = delete;
  FontFace& operator=(const FontFace&) = delete;

  /// 0: the font has none.
  std::uint32_t glyph(char32_t code_point) const;
  /// Of a glyph, in kUnitsPerEm.
  int advance(std::uint32_t glyph) const;
  /// The code point that a glyph stands for, the lowest of several. 0 when it stands for none, or only for a
  /// presentation form (a ligature, a joined letter).
  char32_t code_point(std::uint32_t glyph) const;
  /// The font with these glyphs only, under their own numbers, and with these code points mapped.
  /// Errors: `font_subset` (internal).
  Result<std::string> subset(const std::vector<std::uint32_t>& glyphs, const std::vector<char32_t>& code_points) const;

  const FontMetrics& metrics() const { return metrics_; }
  const std::string& postscript_name() const { return postscript_name_; }
  /// Tells this font from other fonts and other versions of it.
  const std::string& fingerprint() const { return fingerprint_; }
  /// HarfBuzz's, scaled to kUnitsPerEm. Immutable.
  hb_font_t* shaping_font() const;

 private:
  struct Handles;

  FontFace();
  Status read_tables(const std::string& name);

  std::unique_ptr<Handles> handles_;
  FontMetrics metrics_;
  std::string postscript_name_;
  std::string fingerprint_;
  std::vector<char32_t> code_points_;  ///< by glyph
};

}  // namespace longshore
