#include "pdf/font_set.h"

#include <fribidi.h>
#include <hb.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

#include "pdf/font_data.h"

namespace longshore {
namespace {

/// What bytes 0x80 to 0x9F mean; 0 where nothing.
constexpr std::array<char16_t, 32> kWinAnsiUpper{0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                                 0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

std::uint8_t win_ansi_byte(char32_t c) {
  if ((c >= 0x20 && c < 0x7F) || (c >= 0xA1 && c <= 0xFF && c != 0xAD)) return static_cast<std::uint8_t>(c);
  const auto* const found = c == 0 ? kWinAnsiUpper.end() : std::find(kWinAnsiUpper.begin(), kWinAnsiUpper.end(), c);
  return found == kWinAnsiUpper.end() ? std::uint8_t{0}
                                      : static_cast<std::uint8_t>(0x80 + (found - kWinAnsiUpper.begin()));
}

/// Scripts whose letters stand side by side, one glyph each. All others go through shaping, which is always right.
bool is_simple_script(hb_script_t script) {
  constexpr std::array kSimple{HB_SCRIPT_COMMON,   HB_SCRIPT_LATIN,    HB_SCRIPT_GREEK,    HB_SCRIPT_CYRILLIC,
                               HB_SCRIPT_ARMENIAN, HB_SCRIPT_GEORGIAN, HB_SCRIPT_HAN,      HB_SCRIPT_HIRAGANA,
                               HB_SCRIPT_KATAKANA, HB_SCRIPT_BOPOMOFO, HB_SCRIPT_CHEROKEE, HB_SCRIPT_ETHIOPIC,
                               HB_SCRIPT_OGHAM,    HB_SCRIPT_RUNIC,    HB_SCRIPT_BRAILLE,  HB_SCRIPT_YI,
                               HB_SCRIPT_COPTIC};
  return std::find(kSimple.begin(), kSimple.end(), script) != kSimple.end();
}

bool needs_shaping(char32_t c) {
  if (c >= 0xAC00 && c <= 0xD7A3) return false;  // Hangul syllables: whole glyphs, unlike the letters they are made of
  const auto* const unicode = hb_unicode_funcs_get_default();
  switch (hb_unicode_general_category(const_cast<hb_unicode_funcs_t*>(unicode), c)) {
    case HB_UNICODE_GENERAL_CATEGORY_NON_SPACING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_SPACING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_ENCLOSING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_FORMAT:
      return true;
    default:
      break;
  }
  const FriBidiCharType direction = fribidi_get_bidi_type(c);
  if (FRIBIDI_IS_RTL(direction) || FRIBIDI_IS_EXPLICIT_OR_BN(direction)) return true;
  return !is_simple_script(hb_unicode_script(const_cast<hb_unicode_funcs_t*>(unicode), c));
}

bool is_ideograph(char32_t c) {
  return (c >= 0x2E80 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

}  // namespace

char32_t win_ansi_code_point(std::uint8_t byte) {
  if (byte >= 0x80 && byte < 0xA0) return kWinAnsiUpper[byte - 0x80U];
  return win_ansi_byte(byte) == byte ? byte : 0;
}

LineBreak line_break_after(char32_t c) {
  if (c < 0x80) {
    if (c == '\n') return LineBreak::mandatory;
    if (c == ' ') return LineBreak::after_space;
    constexpr std::string_view kSymbols = "-/,;:_&?=|@+)]}>";
    return kSymbols.find(static_cast<char>(c)) != std::string_view::npos ? LineBreak::after_symbol : LineBreak::never;
  }
  if ((c >= 0x2000 && c <= 0x200B && c != 0x2007) || c == 0x1680 || c == 0x3000) return LineBreak::after_space;
  return is_ideograph(c) ? LineBreak::after_symbol : LineBreak::never;
}

FontSet::FontSet(std::vector<std::shared_ptr<const FontFace>> faces) : faces_(std::move(faces)), ascii_advances_(256) {
  for (const auto& face : faces_) fingerprint_ += (fingerprint_.empty() ? "" : "+") + face->fingerprint();
  for (char32_t c = 0x20; c < 0x7F; ++c) {
    const FontFace& regular = *faces_[kRegularFont];
    ascii_advances_[c] = static_cast<std::uint16_t>(regular.advance(regular.glyph(c)));
  }
}

std::shared_ptr<const FontSet> FontSet::built_in() {
  // One for the process: the table of the basic plane is worth sharing.
  static const std::shared_ptr<const FontSet> set = with_fallbacks({}).value();
  return set;
}

Result<std::shared_ptr<const FontSet>> FontSet::with_fallbacks(const std::vector<std::string>& paths) {
  std::vector<std::shared_ptr<const FontFace>> faces(2);
  TRY(faces[kRegularFont], FontFace::from_memory(dejavu_sans(), "DejaVu Sans"));
  TRY(faces[kBoldFont], FontFace::from_memory(dejavu_sans_bold(), "DejaVu Sans Bold"));
  constexpr std::size_t kMaxFonts = 16;
  if (paths.size() > kMaxFonts) {
    return fail(user_error("bad_font", "at most " + std::to_string(kMaxFonts) + " fallback fonts can be used"));
  }
  for (const std::string& path : paths) {
    TRY(auto face, FontFace::from_file(path));
    faces.push_back(std::move(face));
  }
  return std::shared_ptr<const FontSet>(new FontSet(std::move(faces)));
}

std::vector<std::string> FontSet::installed_fallbacks() {
  // fonts-droid-fallback, fonts-wqy-zenhei, fonts-wqy-microhei. Not fonts-noto-cjk: its outlines are no TrueType.
  constexpr std::array kIdeographs{"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
                                   "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
                                   "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"};
  // fonts-nanum, fonts-unfonts-core: Hangul, which Debian's Droid Sans Fallback has not.
  constexpr std::array kHangul{"/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
                               "/usr/share/fonts/truetype/unfonts-core/UnDotum.ttf"};
  std::vector<std::string> found;
  const auto add_first = [&](std::span<const char* const> paths) {
    for (const char* path : paths) {
      std::error_code ignored;
      if (!std::filesystem::exists(path, ignored) || !FontFace::from_file(path)) continue;
      found.emplace_back(path);
      return;
    }
  };
  add_first(kIdeographs);
  add_first(kHangul);
  return found;
}

std::optional<FontId> FontSet::font_with(char32_t code_point, FontId preferred) const {
  if (faces_[preferred]->glyph(code_point) != 0) return preferred;
  if (preferred == kBoldFont && faces_[kRegularFont]->glyph(code_point) != 0) return kRegularFont;
  for (std::size_t font = kFirstFallbackFont; font < faces_.size(); ++font) {
    if (faces_[font]->glyph(code_point) != 0) return static_cast<FontId>(font);
  }
  return std::nullopt;
}

CharacterInfo FontSet::look_up(char32_t code_point) const {
  CharacterInfo info;
  info.line_break = line_break_after(code_point);
  if (needs_shaping(code_point)) {
    info.kind = CharacterKind::shaped;
    return info;
  }
  const std::optional<FontId> font = font_with(code_point, kRegularFont);
  if (!font) return info;
  const FontFace& face = *faces_[*font];
  info.font = *font;
  info.glyph = static_cast<std::uint16_t>(face.glyph(code_point));
  info.advance = static_cast<std::uint16_t>(face.advance(info.glyph));
  // A glyph that another character has as well would be copied as that one; shaping says what the text was.
  info.kind = face.code_point(info.glyph) == code_point ? CharacterKind::direct : CharacterKind::shaped;
  if (*font == kRegularFont) info.byte = win_ansi_byte(code_point);
  return info;
}

const std::vector<CharacterInfo>& FontSet::basic_plane() const {
  std::call_once(basic_plane_once_, [this] {
    basic_plane_.resize(0x10000);
    for (char32_t c = 0; c < 0x10000; ++c) basic_plane_[c] = look_up(c);
  });
  return basic_plane_;
}

}  // namespace longshore
