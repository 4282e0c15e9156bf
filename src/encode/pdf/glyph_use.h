#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pdf/font_set.h"

namespace longshore {

/// The glyphs that a file shows, which its fonts must hold, apart from printable ASCII in the regular font: that is
/// always there. Remembers which were new since the last take_new(), so that chunks name each once.
class GlyphUse {
 public:
  struct Glyph {
    FontId font = kRegularFont;
    std::uint16_t glyph = 0;
    std::string text;  ///< see PlacedGlyph
  };
  struct Delta {
    std::vector<std::uint8_t> bytes;  ///< of WinAnsiEncoding, in the regular font
    std::vector<Glyph> glyphs;
  };

  void mark_byte(std::uint8_t byte) {
    if (byte < 0x80 || bytes_[byte]) return;
    bytes_[byte] = true;
    new_.bytes.push_back(byte);
  }
  void mark(FontId font, std::uint16_t glyph, const std::string& text = {}) {
    if (font >= glyphs_.size()) glyphs_.resize(font + std::size_t{1});
    std::vector<bool>& used = glyphs_[font];
    if (used.empty()) used.resize(0x10000);
    if (used[glyph]) return;
    used[glyph] = true;
    if (!text.empty()) texts_.emplace(std::pair(font, glyph), text);
    new_.glyphs.push_back({font, glyph, text});
  }
  void add(const Delta& delta) {
    for (const std::uint8_t byte : delta.bytes) mark_byte(byte);
    for (const Glyph& glyph : delta.glyphs) mark(glyph.font, glyph.glyph, glyph.text);
  }
  Delta take_new() { return std::exchange(new_, {}); }

  const std::bitset<256>& bytes() const { return bytes_; }
  /// Of one font, ascending.
  std::vector<std::uint16_t> glyphs(FontId font) const {
    std::vector<std::uint16_t> result;
    if (font >= glyphs_.size()) return result;
    for (std::size_t i = 0; i < glyphs_[font].size(); ++i) {
      if (glyphs_[font][i]) result.push_back(static_cast<std::uint16_t>(i));
    }
    return result;
  }
  /// What a glyph stands for if the font does not say; empty when nothing is known.
  std::string text(FontId font, std::uint16_t glyph) const {
    const auto found = texts_.find({font, glyph});
    return found == texts_.end() ? std::string{} : found->second;
  }

 private:
  std::bitset<256> bytes_;
  std::vector<std::vector<bool>> glyphs_;  ///< by font; empty or 65,536
  std::map<std::pair<FontId, std::uint16_t>, std::string> texts_;
  Delta new_;
};

}  // namespace longshore
