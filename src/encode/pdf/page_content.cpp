#include "pdf/page_content.h"

#include <algorithm>
#include <cstring>

#include "encode/text/byte_scan.h"
#include "encode/text/digits.h"

namespace longshore {
namespace {

/// Room for two numbers and the operators around them.
constexpr std::size_t kMoveRoom = 64;
/// kNullMark in WinAnsiEncoding.
constexpr std::uint8_t kEnDashByte = 0x96;

void append_hex(std::uint32_t value, int digits, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kDigits[value >> shift & 0xF];
}

/// 1/1000 of the font size from kUnitsPerEm.
int thousandths(int units) {
  const int scaled = units * 1000;
  return (scaled >= 0 ? scaled + kUnitsPerEm / 2 : scaled - kUnitsPerEm / 2) / kUnitsPerEm;
}

/// The bytes that cannot stand in a PDF string as they are, and controls.
struct StringSpecials {
  bool operator()(char byte) const {
    return byte == '(' || byte == ')' || byte == '\\' || static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F;
  }
#if defined(__SSE2__)
  __m128i operator()(__m128i block) const {
    const __m128i open = _mm_cmpeq_epi8(block, _mm_set1_epi8('('));
    const __m128i close = _mm_cmpeq_epi8(block, _mm_set1_epi8(')'));
    const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
    const __m128i erase = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F));
    return _mm_or_si128(_mm_or_si128(_mm_or_si128(open, close), _mm_or_si128(backslash, control)), erase);
  }
#endif
};

/// Most cells are of some ten bytes, for which a call of memcpy costs more than the copying.
char* copy_short(char* out, std::string_view bytes) {
  const char* const from = bytes.data();
  const std::size_t n = bytes.size();
  if (n >= 16) {
    for (std::size_t i = 0; i + 16 < n; i += 16) std::memcpy(out + i, from + i, 16);
    std::memcpy(out + n - 16, from + n - 16, 16);
  } else if (n >= 8) {
    std::memcpy(out, from, 8);
    std::memcpy(out + n - 8, from + n - 8, 8);
  } else if (n >= 4) {
    std::memcpy(out, from, 4);
    std::memcpy(out + n - 4, from + n - 4, 4);
  } else {
    for (std::size_t i = 0; i < n; ++i) out[i] = from[i];
  }
  return out + n;
}

void append_number(ByteBuffer& out, int value) {
  char* const begin = out.reserve_back(24);
  out.grow(static_cast<std::size_t>(write_int64(begin, value) - begin));
}

}  // namespace

std::string pdf_text_string(std::string_view utf8) {
  std::string result = "<FEFF";
  for (const char32_t c : decode_utf8(utf8)) {
    if (c < 0x10000) {
      append_hex(c, 4, result);
    } else {
      append_hex(0xD800 + ((c - 0x10000) >> 10), 4, result);
      append_hex(0xDC00 + ((c - 0x10000) & 0x3FF), 4, result);
    }
  }
  return result + ">";
}

void PageContent::rectangle(int x, int y, int width, int height) {
  char* const begin = rectangles_.reserve_back(std::size_t{4} * 24);
  char* out = begin;
  for (const int value : {x, y, width, height}) {
    out = write_int64(out, value);
    *out++ = ' ';
  }
  out = write_word(out, "re\n");
  rectangles_.grow(static_cast<std::size_t>(out - begin));
}

void PageContent::change_font(int font) {
  font_ = font;
  text_.append("/F");
  append_number(text_, font + 1);
  text_.push_back(' ');
  append_number(text_, font_size_);
  text_.append(" Tf\n");
}

void PageContent::make_move(int dx, int dy, Move& move) {
  static_assert(sizeof move.text >= std::string_view("-65535 -65535 Td").size());
  move.dx = dx;
  move.dy = dy;
  char* out = write_int64(move.text, dx);
  *out++ = ' ';
  out = write_word(write_int64(out, dy), " Td");
  move.size = static_cast<std::uint32_t>(out - move.text);
}

char* PageContent::move_to(int x, int y, char* out) {
  const int dx = x - x_;
  const int dy = y - y_;
  x_ = x;
  y_ = y;
  Move& move = moves_[static_cast<unsigned>(dx + 7 * dy) % kMoves];
  if (move.size == 0 || move.dx != dx || move.dy != dy) make_move(dx, dy, move);
  std::memcpy(out, move.text, sizeof move.text);
  return out + move.size;
}

void PageContent::show_plain(int x, int y, std::string_view bytes) {
  use_font(kByteFont);
  char* const begin = text_.reserve_back(bytes.size() + kMoveRoom);
  char* out = move_to(x, y, begin);
  *out++ = '(';
  out = copy_short(out, bytes);
  std::memcpy(out, ")Tj\n", 4);
  text_.grow(static_cast<std::size_t>(out + 4 - begin));
}

bool PageContent::show_if_plain(int x, int y, std::string_view bytes) {
  use_font(kByteFont);
  const int old_x = x_;
  const int old_y = y_;
  char* const begin = text_.reserve_back(kShortText + kMoveRoom);
  char* const string = move_to(x, y, begin) + 1;
  string[-1] = '(';
  char* const end = copy_short(string, bytes);
  // Looked at where it was copied to: there, 32 bytes can be read whatever its length.
  if (scan_short(string, bytes.size(), string, StringSpecials{}) != 0) [[unlikely]] {
    x_ = old_x;
    y_ = old_y;
    return false;
  }
  std::memcpy(end, ")Tj\n", 4);
  text_.grow(static_cast<std::size_t>(end + 4 - begin));
  return true;
}

void PageContent::show_bytes(int x, int y, std::string_view bytes) {
  use_font(kByteFont);
  char* const begin = text_.reserve_back(2 * bytes.size() + kMoveRoom);
  char* out = move_to(x, y, begin);
  *out++ = '(';
  for (const char byte : bytes) out = put_string_byte(out, static_cast<unsigned char>(byte));
  out = write_word(out, ")Tj\n");
  text_.grow(static_cast<std::size_t>(out - begin));
}

void PageContent::show_null(int x, int y, GlyphUse& use) {
  use.mark_byte(kEnDashByte);
  use_font(kByteFont);
  text_.append(kNullInk);
  const char dash = static_cast<char>(kEnDashByte);
  show_plain(x, y, {&dash, 1});
  text_.append(kInk);
}

void PageContent::show_glyphs(std::span<const CharacterInfo> characters, GlyphUse& use) {
  use_font(characters.front().font);
  char* const begin = text_.reserve_back(4 * characters.size() + kMoveRoom);
  char* out = begin;
  *out++ = '(';
  for (const CharacterInfo& each : characters) {
    use.mark(each.font, each.glyph);
    out = put_string_byte(out, static_cast<unsigned char>(each.glyph >> 8));
    out = put_string_byte(out, static_cast<unsigned char>(each.glyph & 0xFF));
  }
  out = write_word(out, ")Tj\n");
  text_.grow(static_cast<std::size_t>(out - begin));
}

void PageContent::show_direct(int x, int y, std::span<const CharacterInfo> characters, GlyphUse& use) {
  const bool by_bytes = std::all_of(characters.begin(), characters.end(), [](const auto& c) { return c.byte != 0; });
  if (by_bytes) {
    use_font(kByteFont);
    char* const begin = text_.reserve_back(2 * characters.size() + kMoveRoom);
    char* out = move_to(x, y, begin);
    *out++ = '(';
    for (const CharacterInfo& each : characters) {
      use.mark_byte(each.byte);
      out = put_string_byte(out, each.byte);
    }
    out = write_word(out, ")Tj\n");
    text_.grow(static_cast<std::size_t>(out - begin));
    return;
  }
  char* const begin = text_.reserve_back(kMoveRoom);
  char* const end = write_word(move_to(x, y, begin), "\n");
  text_.grow(static_cast<std::size_t>(end - begin));
  for (std::size_t first = 0; first < characters.size();) {
    std::size_t last = first + 1;
    while (last < characters.size() && characters[last].font == characters[first].font) ++last;
    show_glyphs(characters.subspan(first, last - first), use);
    first = last;
  }
}

void PageContent::begin_span(std::string_view actual_text) {
  text_.append("/Span<</ActualText");
  text_.append(pdf_text_string(actual_text));
  text_.append(">>BDC\n");
}

void PageContent::show_shaped(int x, int y, const ShapedLine& line, GlyphUse& use) {
  if (line.runs.empty()) return;
  char* const begin = text_.reserve_back(kMoveRoom);
  char* const end = write_word(move_to(x, y, begin), "\n");
  text_.grow(static_cast<std::size_t>(end - begin));
  for (const GlyphRun& run : line.runs) {
    use_font(run.font);
    if (!run.actual_text.empty()) begin_span(run.actual_text);
    show_run(run, use);
    if (!run.actual_text.empty()) text_.append("EMC\n");
  }
}

void PageContent::show_run(const GlyphRun& run, GlyphUse& use) {
  const FontFace& face = fonts_.face(run.font);
  bool open = false;
  int rise = 0;
  int owed = 0;  // how far the next glyph stands to the right of where the last one's width left the pen
  const auto close = [&] {
    if (open) text_.append(")]TJ\n");
    open = false;
  };
  const auto move_pen = [&] {
    const int gap = thousandths(owed);
    if (gap == 0) return;
    text_.push_back(')');
    append_number(text_, -gap);
    text_.push_back('(');
  };
  for (const PlacedGlyph& glyph : run.glyphs) {
    use.mark(run.font, glyph.glyph, glyph.text);
    // The file has another text for this glyph, for which it was used first.
    const bool ambiguous = !glyph.text.empty() && use.text(run.font, glyph.glyph) != glyph.text;
    if (glyph.y_offset != rise || ambiguous) close();
    if (glyph.y_offset != rise) {
      rise = glyph.y_offset;
      append_number(text_, rise * font_size_ / kUnitsPerEm);
      text_.append(" Ts\n");
    }
    if (ambiguous) begin_span(glyph.text);
    owed += glyph.x_offset;
    if (!open) text_.append("[(");
    open = true;
    move_pen();
    char code[4];
    char* code_end = put_string_byte(code, static_cast<unsigned char>(glyph.glyph >> 8));
    code_end = put_string_byte(code_end, static_cast<unsigned char>(glyph.glyph & 0xFF));
    text_.append(code, static_cast<std::size_t>(code_end - code));
    if (ambiguous) {
      close();
      text_.append("EMC\n");
    }
    owed = glyph.advance - glyph.x_offset - face.advance(glyph.glyph);
  }
  if (thousandths(owed) != 0) {
    if (!open) text_.append("[(");
    open = true;
    move_pen();
  }
  close();
  if (rise != 0) text_.append("0 Ts\n");
}

void PageContent::roll_back(const Mark& mark) {
  text_.truncate(mark.text);
  rectangles_.truncate(mark.rectangles);
  x_ = mark.x;
  y_ = mark.y;
  font_ = mark.font;
}

void PageContent::take(std::string_view fill, std::string_view ink, ByteBuffer& out) {
  if (!rectangles_.empty()) {
    out.append(fill);
    out.append(rectangles_.view());
    out.append("f\n");
  }
  if (!text_.empty()) {
    out.append(ink);
    out.append("BT\n");
    out.append(text_.view());
    out.append("ET\n");
  }
  text_.clear();
  rectangles_.clear();
  x_ = 0;
  y_ = 0;
  font_ = kNoFont;
}

}  // namespace longshore
