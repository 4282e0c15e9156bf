#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pdf/font_face.h"

namespace longshore {

/// A font of a set, by its place.
using FontId = std::uint8_t;
inline constexpr FontId kRegularFont = 0;
inline constexpr FontId kBoldFont = 1;
inline constexpr FontId kFirstFallbackFont = 2;

/// How a character of a cell is shown.
enum class CharacterKind : std::uint8_t {
  missing,  ///< no font of the set has it
  direct,   ///< one glyph, side by side with its neighbours
  shaped,   ///< right-to-left, combining, joining: only shaping tells
};

/// Where a line may be broken, if it must be.
enum class LineBreak : std::uint8_t {
  never,
  after_space,   ///< best
  after_symbol,  ///< a comma or a slash within a long word; between ideographs
  mandatory,     ///< a line feed
};

/// What the fonts of a set know of a code point.
struct CharacterInfo {
  std::uint16_t glyph = 0;
  std::uint16_t advance = 0;  ///< in kUnitsPerEm
  FontId font = kRegularFont;
  CharacterKind kind = CharacterKind::missing;
  LineBreak line_break = LineBreak::never;
  std::uint8_t byte = 0;  ///< in WinAnsiEncoding; 0 when it is not there
};

/// The fonts that a report may use: DejaVu Sans and its bold, compiled in, then fallbacks for what these lack (Chinese,
/// Japanese, Korean, …), the first that has a character. A file's bytes depend on the set: workers that share exports
/// must have the same one. Immutable, thread-safe.
class FontSet {
 public:
  /// DejaVu alone: the same on every machine.
  static std::shared_ptr<const FontSet> built_in();
  /// DejaVu, then the fonts of `paths`. Errors: `bad_font` (user).
  static Result<std::shared_ptr<const FontSet>> with_fallbacks(const std::vector<std::string>& paths);
  /// Of Debian's well-known fonts that this machine has and that can be embedded: the first for Chinese and Japanese,
  /// and the first for Korean.
  static std::vector<std::string> installed_fallbacks();

  std::size_t size() const { return faces_.size(); }
  const FontFace& face(FontId font) const { return *faces_[font]; }
  /// Tells this set from any other.
  const std::string& fingerprint() const { return fingerprint_; }
  /// In the regular font, else in the first fallback that has it.
  CharacterInfo character(char32_t code_point) const {
    return code_point < 0x10000 ? basic_plane()[code_point] : look_up(code_point);
  }
  /// The font that has a character, of the style `preferred` if possible; nullopt when none has it.
  std::optional<FontId> font_with(char32_t code_point, FontId preferred) const;
  /// Advances of ASCII in the regular font, in kUnitsPerEm; 256 entries, 0 from 128 on and for control characters.
  const std::uint16_t* ascii_advances() const { return ascii_advances_.data(); }

 private:
  explicit FontSet(std::vector<std::shared_ptr<const FontFace>> faces);
  const std::vector<CharacterInfo>& basic_plane() const;
  CharacterInfo look_up(char32_t code_point) const;

  std::vector<std::shared_ptr<const FontFace>> faces_;
  std::string fingerprint_;
  std::vector<std::uint16_t> ascii_advances_;
  mutable std::once_flag basic_plane_once_;
  mutable std::vector<CharacterInfo> basic_plane_;  ///< made when first asked for: 65,536 look-ups, 512 KiB
};

/// The code point of a byte in WinAnsiEncoding as this room uses it; 0 where there is none (ISO 32000-1, annex D.2).
char32_t win_ansi_code_point(std::uint8_t byte);

/// Where a line may break after `code_point`.
LineBreak line_break_after(char32_t code_point);

}  // namespace longshore
