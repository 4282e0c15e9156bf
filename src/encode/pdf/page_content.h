#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/byte_buffer.h"
#include "pdf/font_set.h"
#include "pdf/glyph_use.h"
#include "pdf/text_shaper.h"

namespace longshore {

/// Colours of a report, as PDF operators.
inline constexpr std::string_view kInk = ".13 .16 .2 rg\n";
inline constexpr std::string_view kQuietInk = ".42 .46 .51 rg\n";
inline constexpr std::string_view kNullInk = ".66 .69 .73 rg\n";
inline constexpr std::string_view kTitleInk = ".07 .15 .29 rg\n";
inline constexpr std::string_view kStripe = ".961 .969 .98 rg\n";
inline constexpr std::string_view kHeaderFill = ".894 .918 .949 rg\n";
inline constexpr std::string_view kRule = ".18 .36 .62 rg\n";
inline constexpr std::string_view kFineRule = ".8 .83 .87 rg\n";

/// Bytes that show_if_plain() takes.
inline constexpr std::size_t kShortText = 32;

/// An en dash, unlike an empty text, which leaves its cell blank.
inline constexpr char32_t kNullMark = 0x2013;

/// The marks on a page, as a PDF content stream (ISO 32000-1, 8.2 and 9.4): rectangles, and text over them. Positions
/// are as page_geometry.h counts them. Text comes in reading order, so that it is copied in that order; each piece is
/// placed relative to the one before, which keeps the numbers short and alike.
class PageContent {
 public:
  explicit PageContent(const FontSet& fonts) : fonts_(fonts) {}

  /// Size of the text that follows, in tenths of a point. The font is chosen again before the next piece.
  void set_font_size(int size) {
    font_size_ = size;
    font_ = kNoFont;
  }
  void set_colour(std::string_view operators) { text_.append(operators); }
  void rectangle(int x, int y, int width, int height);

  /// Text without specials: no parentheses, backslashes or controls; bytes from 0x80 on are WinAnsiEncoding.
  void show_plain(int x, int y, std::string_view bytes);
  /// The same for any bytes, at most kShortText, if they are plain ASCII; else nothing is shown, and false returned.
  bool show_if_plain(int x, int y, std::string_view bytes);
  /// Any printable bytes of WinAnsiEncoding.
  void show_bytes(int x, int y, std::string_view bytes);
  /// What stands for NULL: kNullMark in a lighter colour.
  void show_null(int x, int y, GlyphUse& use);
  /// Characters of kind direct.
  void show_direct(int x, int y, std::span<const CharacterInfo> characters, GlyphUse& use);
  void show_shaped(int x, int y, const ShapedLine& line, GlyphUse& use);

  struct Mark {
    std::size_t text = 0;
    std::size_t rectangles = 0;
    int x = 0;
    int y = 0;
    int font = 0;
  };
  Mark mark() const { return {text_.size(), rectangles_.size(), x_, y_, font_}; }
  /// Forgets everything since `mark`.
  void roll_back(const Mark& mark);

  bool empty() const { return text_.empty() && rectangles_.empty(); }
  /// Appends all that was drawn to `out` and begins anew: `fill` is the colour of the rectangles, `ink` of the text.
  void take(std::string_view fill, std::string_view ink, ByteBuffer& out);

 private:
  static constexpr int kNoFont = -2;
  static constexpr int kByteFont = -1;  ///< the regular font by bytes; else a FontId, by glyphs

  /// The operator that moves from one piece of text to the next. The same few come again and again: a table of them,
  /// by where they move, spares making the numbers.
  struct Move {
    int dx = 0;
    int dy = 0;
    std::uint32_t size = 0;  ///< 0: not made yet
    char text[24] = {};
  };
  static constexpr std::size_t kMoves = 64;

  void use_font(int font) {
    if (font_ != font) change_font(font);
  }
  void change_font(int font);
  /// REQUIRES: room for kMoveRoom bytes at `out`.
  char* move_to(int x, int y, char* out);
  static void make_move(int dx, int dy, Move& move);
  void show_glyphs(std::span<const CharacterInfo> characters, GlyphUse& use);
  void show_run(const GlyphRun& run, GlyphUse& use);
  void begin_span(std::string_view actual_text);

  const FontSet& fonts_;
  ByteBuffer text_;
  ByteBuffer rectangles_;
  std::array<Move, kMoves> moves_;
  int font_size_ = 80;
  int font_ = kNoFont;
  int x_ = 0;
  int y_ = 0;
};

/// Writes one byte of a PDF string in parentheses; at most 2 bytes.
inline char* put_string_byte(char* out, unsigned char byte) {
  switch (byte) {
    case '(':
    case ')':
    case '\\':
      *out++ = '\\';
      *out++ = static_cast<char>(byte);
      return out;
    case '\r':  // would be read as a line feed
      *out++ = '\\';
      *out++ = 'r';
      return out;
    default:
      *out++ = static_cast<char>(byte);
      return out;
  }
}

/// UTF-16BE in hexadecimal with a byte order mark, between angle brackets: a PDF text string (ISO 32000-1, 7.9.2.2).
/// REQUIRES: well-formed UTF-8.
std::string pdf_text_string(std::string_view utf8);

}  // namespace longshore
