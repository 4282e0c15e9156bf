#include "pdf/cell_painter.h"

#include <algorithm>
#include <span>

#include "base/utf8.h"
#include "pdf/page_geometry.h"
#include "pdf/report_column.h"

namespace longshore {
namespace {

constexpr char32_t kEllipsis = 0x2026;

struct AsciiText {
  std::string_view text;
  const std::uint32_t* entries;
  const LineBreak* breaks;

  std::size_t size() const { return text.size(); }
  int advance(std::size_t i) const { return static_cast<int>(entries[byte(i)] & 0xFFFF); }
  LineBreak line_break(std::size_t i) const { return breaks[byte(i)]; }
  unsigned char byte(std::size_t i) const { return static_cast<unsigned char>(text[i]); }
};

struct DirectText {
  std::span<const CharacterInfo> characters;

  std::size_t size() const { return characters.size(); }
  int advance(std::size_t i) const { return characters[i].advance; }
  LineBreak line_break(std::size_t i) const { return characters[i].line_break; }
};

/// The first part of a long text, which does not end within a character.
std::string_view shown_part(std::string_view text) {
  if (text.size() <= kMaxShownBytes) return text;
  std::size_t size = kMaxShownBytes;
  while (size > kMaxShownBytes - 4 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

/// Line ends of any system become LF, tabs two blanks, and other control characters are spelled, `\x1B`. Line ends at
/// the end of the text go. Returns whether anything had to be spelled.
bool spell_controls(std::string_view text, std::string& out) {
  bool spelled = false;
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!is_control(c) || c == '\n') {
      out += c;
    } else if (c == '\r') {
      if (i + 1 == text.size() || text[i + 1] != '\n') out += '\n';
    } else if (c == '\t') {
      out += "  ";
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      out += "\\x";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 0xF];
      spelled = true;
    }
  }
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return spelled;
}

}  // namespace

CellPainter::CellPainter(const FontSet& fonts, int font_size, int line_height)
    : fonts_(fonts),
      font_size_(font_size),
      line_height_(line_height),
      ellipsis_(fonts.character(kEllipsis)),
      shaper_(fonts) {
  for (std::size_t c = 0; c < ascii_.size(); ++c) {
    ascii_[c] = fonts.ascii_advances()[c];
    if (c < 0x80) breaks_[c] = line_break_after(static_cast<char32_t>(c));
    if (c >= 0x80) ascii_[c] |= kHigh;
    if (is_control(static_cast<char>(c))) ascii_[c] |= kControl;
    if (c == '(' || c == ')' || c == '\\') ascii_[c] |= kEscape;
  }
  // All that numbers, dates, times, uuids and bools are spelled with.
  for (const char c : std::string_view("0123456789+-.: abcdefilnrstuyBCINT")) {
    widest_plain_ = std::max<int>(widest_plain_, fonts.ascii_advances()[static_cast<unsigned char>(c)]);
  }
  digit_ = fonts.ascii_advances()[static_cast<unsigned char>('0')];
  minus_ = fonts.ascii_advances()[static_cast<unsigned char>('-')];
  point_ = fonts.ascii_advances()[static_cast<unsigned char>('.')];
}

int CellPainter::line_left(const CellPlace& place, int width, bool right) const {
  return right ? place.left + std::max(0, place.width - text_tenths(width, font_size_)) : place.left;
}

bool CellPainter::look_up(std::string_view text) {
  characters_.clear();
  for (const char32_t c : decode_utf8(text)) {
    const CharacterInfo info = fonts_.character(c);
    if (info.kind != CharacterKind::direct && c != U'\n') return false;
    characters_.push_back(info);
  }
  return true;
}

int CellPainter::natural_width(std::string_view text, int limit) {
  text = shown_part(text);
  const Measure ascii = measure_ascii(text, limit);
  if ((ascii.flags & (kControl | kHigh)) == 0 || (ascii.width > limit && (ascii.flags & kControl) == 0)) {
    return ascii.width;
  }
  repaired_.resize(3 * text.size());
  repaired_.resize(static_cast<std::size_t>(copy_as_utf8(text, repaired_.data()) - repaired_.data()));
  spell_controls(repaired_, spelled_);
  int widest = 0;
  int width = 0;
  for (const char32_t c : decode_utf8(spelled_)) {
    if (c == U'\n') width = 0;
    // About right for what is shaped: most of its letters take about as much as this.
    const CharacterInfo info = fonts_.character(c);
    width += info.kind == CharacterKind::direct ? info.advance : c == U'\n' ? 0 : kUnitsPerEm * 6 / 10;
    widest = std::max(widest, width);
  }
  return widest;
}

std::size_t CellPainter::paint_lines(std::string_view text, const CellPlace& place, PageContent& page, GlyphUse& use,
                                     CellChanges& changes) {
  const std::string_view whole = text;
  text = shown_part(text);
  const bool cut = text.size() < whole.size();
  std::uint32_t flags = 0;
  for (const char c : text) flags |= ascii_[static_cast<unsigned char>(c)];
  if ((flags & kHigh) != 0 && !is_utf8(text)) {
    repaired_.resize(3 * text.size());
    repaired_.resize(static_cast<std::size_t>(copy_as_utf8(text, repaired_.data()) - repaired_.data()));
    text = repaired_;
    changes.replaced = true;
  }
  if ((flags & kControl) != 0) {
    if (spell_controls(text, spelled_)) changes.replaced = true;
    text = spelled_;
  }
  if ((flags & kHigh) == 0)
    return paint_ascii(text, (flags & (kEscape | kControl)) != 0, cut, place, page, use, changes);
  if (look_up(text)) return paint_direct(cut, place, page, use, changes);
  return paint_shaped(text, cut, place, page, use, changes);
}

std::size_t CellPainter::paint_ascii(std::string_view text, bool escape, bool cut, const CellPlace& place,
                                     PageContent& page, GlyphUse& use, CellChanges& changes) {
  const AsciiText source{text, ascii_.data(), breaks_.data()};
  changes.truncated |= break_lines(source, place.units, kMaxCellLines, ellipsis_.advance, cut, lines_);
  int baseline = place.baseline;
  for (const TextLine& line : lines_) {
    std::string_view shown = text.substr(line.begin, line.end - line.begin);
    if (line.ellipsis) {
      // `repaired_` is free: ASCII needed no repair.
      repaired_.assign(shown);
      repaired_ += static_cast<char>(ellipsis_.byte);
      use.mark_byte(ellipsis_.byte);
      shown = repaired_;
    }
    const int left = line_left(place, line.width, place.right);
    if (!shown.empty() && escape) page.show_bytes(left, baseline, shown);
    if (!shown.empty() && !escape) page.show_plain(left, baseline, shown);
    baseline -= line_height_;
  }
  return std::max<std::size_t>(1, lines_.size());
}

std::size_t CellPainter::paint_direct(bool cut, const CellPlace& place, PageContent& page, GlyphUse& use,
                                      CellChanges& changes) {
  const DirectText source{characters_};
  changes.truncated |= break_lines(source, place.units, kMaxCellLines, ellipsis_.advance, cut, lines_);
  int baseline = place.baseline;
  for (const TextLine& line : lines_) {
    if (line.ellipsis) {
      characters_.resize(line.end);
      characters_.push_back(ellipsis_);
    }
    const std::size_t size = line.end - line.begin + (line.ellipsis ? 1 : 0);
    if (size > 0) {
      page.show_direct(line_left(place, line.width, place.right), baseline,
                       std::span(characters_).subspan(line.begin, size), use);
    }
    baseline -= line_height_;
  }
  return std::max<std::size_t>(1, lines_.size());
}

std::size_t CellPainter::paint_shaped(std::string_view text, bool cut, const CellPlace& place, PageContent& page,
                                      GlyphUse& use, CellChanges& changes) {
  std::string marked;
  if (cut) text = marked = std::string(text) + "\u2026";
  const ShapedText shaped = shaper_.shape(text, kRegularFont, place.units, kMaxCellLines);
  changes.truncated |= shaped.truncated || cut;
  changes.replaced |= shaped.missing;
  int baseline = place.baseline;
  for (const ShapedLine& line : shaped.lines) {
    page.show_shaped(line_left(place, line.width, place.right || shaped.right_to_left), baseline, line, use);
    baseline -= line_height_;
  }
  return std::max<std::size_t>(1, shaped.lines.size());
}

}  // namespace longshore
