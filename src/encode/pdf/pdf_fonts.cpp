#include "pdf/pdf_fonts.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "pdf/text_shaper.h"

namespace longshore {
namespace {

/// Bits of a font descriptor's /Flags (ISO 32000-1, table 123).
constexpr int kFixedPitch = 1;
constexpr int kSymbolic = 4;
constexpr int kNonsymbolic = 32;

constexpr std::uint8_t kFirstByte = 32;

/// Widths count in 1/1000 of the font size; with a decimal, so that many of them add up as they were measured.
std::string width_text(int units) {
  const int tenths = (units * 10'000 + kUnitsPerEm / 2) / kUnitsPerEm;
  return tenths % 10 == 0 ? std::to_string(tenths / 10) : fmt::format("{}.{}", tenths / 10, tenths % 10);
}

/// Six capitals that tell subsets of one font apart (9.6.4).
std::string subset_tag(std::string_view font_program) {
  const auto digest = sha256(font_program);
  std::string tag;
  for (std::size_t i = 0; i < 6; ++i) tag += static_cast<char>('A' + digest[i] % 26);
  return tag;
}

std::string utf16_hex(std::string_view utf8) {
  std::string hex;
  for (const char32_t c : decode_utf8(utf8)) {
    if (c < 0x10000) {
      fmt::format_to(std::back_inserter(hex), "{:04X}", static_cast<unsigned>(c));
    } else {
      fmt::format_to(std::back_inserter(hex), "{:04X}{:04X}", 0xD800 + static_cast<unsigned>((c - 0x10000) >> 10),
                     0xDC00 + static_cast<unsigned>((c - 0x10000) & 0x3FF));
    }
  }
  return hex;
}

/// A ToUnicode CMap (9.10.3). `codes`: each code in hexadecimal, and what it means in UTF-8.
std::string to_unicode(const std::vector<std::pair<std::string, std::string>>& codes, int code_bytes) {
  const std::string last = code_bytes == 1 ? "FF" : "FFFF";
  const std::string first = code_bytes == 1 ? "00" : "0000";
  std::string map =
      "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
      "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
      "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
      "1 begincodespacerange\n<" +
      first + "> <" + last + ">\nendcodespacerange\n";
  constexpr std::size_t kMaxEntries = 100;  // of one block, by the CMap specification
  for (std::size_t begin = 0; begin < codes.size(); begin += kMaxEntries) {
    const std::size_t end = std::min(codes.size(), begin + kMaxEntries);
    map += std::to_string(end - begin) + " beginbfchar\n";
    for (std::size_t i = begin; i < end; ++i) {
      map += "<" + codes[i].first + "> <" + utf16_hex(codes[i].second) + ">\n";
    }
    map += "endbfchar\n";
  }
  return map + "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n";
}

ObjectNumber write_descriptor(const FontFace& face, const std::string& name, int flags, ObjectNumber file,
                              ObjectWriter& out) {
  const FontMetrics& metrics = face.metrics();
  const ObjectNumber number = out.allocate();
  out.object(number, fmt::format("<</Type/FontDescriptor/FontName/{}/Flags {}/FontBBox[{} {} {} {}]/ItalicAngle 0"
                                 "/Ascent {}/Descent {}/CapHeight {}/StemV 80/FontFile2 {}>>",
                                 name, flags, metrics.box[0], metrics.box[1], metrics.box[2], metrics.box[3],
                                 metrics.ascent, metrics.descent, metrics.cap_height, reference(file)));
  return number;
}

/// The codes of /F0 that are used: printable ASCII, and what was marked.
std::vector<std::uint8_t> used_bytes(const GlyphUse& use) {
  std::vector<std::uint8_t> bytes;
  for (std::uint8_t byte = kFirstByte; byte < 0x7F; ++byte) bytes.push_back(byte);
  for (int byte = 0x80; byte <= 0xFF; ++byte) {
    if (use.bytes()[static_cast<std::size_t>(byte)]) bytes.push_back(static_cast<std::uint8_t>(byte));
  }
  return bytes;
}

ObjectNumber write_byte_font(const FontFace& face, const std::string& name, const std::vector<std::uint8_t>& bytes,
                             ObjectNumber file, ObjectWriter& out) {
  const ObjectNumber descriptor = write_descriptor(face, name, kNonsymbolic, file, out);
  std::vector<std::pair<std::string, std::string>> codes;
  for (const std::uint8_t byte : bytes) {
    const char32_t c = win_ansi_code_point(byte);
    codes.emplace_back(fmt::format("{:02X}", byte), encode_utf8({&c, 1}));
  }
  const ObjectNumber unicode = out.allocate();
  out.stream(unicode, "", to_unicode(codes, 1));
  std::string widths;
  for (int byte = kFirstByte; byte <= bytes.back(); ++byte) {
    const char32_t c = win_ansi_code_point(static_cast<std::uint8_t>(byte));
    widths += (widths.empty() ? "" : " ") + width_text(c == 0 ? 0 : face.advance(face.glyph(c)));
  }
  const ObjectNumber number = out.allocate();
  out.object(number, fmt::format("<</Type/Font/Subtype/TrueType/BaseFont/{}/Encoding/WinAnsiEncoding/FirstChar {}"
                                 "/LastChar {}/Widths[{}]/FontDescriptor {}/ToUnicode {}>>",
                                 name, kFirstByte, bytes.back(), widths, reference(descriptor), reference(unicode)));
  return number;
}

/// The widths of glyphs, runs of neighbours together (9.7.4.3).
std::string glyph_widths(const FontFace& face, const std::vector<std::uint16_t>& glyphs) {
  std::string text;
  for (std::size_t i = 0; i < glyphs.size(); ++i) {
    const bool starts = i == 0 || glyphs[i] != glyphs[i - 1] + 1;
    if (starts) text += (i == 0 ? "" : "]") + std::to_string(glyphs[i]) + "[";
    if (!starts) text += ' ';
    text += width_text(face.advance(glyphs[i]));
  }
  return text + "]";
}

ObjectNumber write_glyph_font(const FontSet& fonts, FontId font, const std::string& name, const GlyphUse& use,
                              ObjectNumber file, ObjectWriter& out) {
  const FontFace& face = fonts.face(font);
  const std::vector<std::uint16_t> glyphs = use.glyphs(font);
  const ObjectNumber descriptor =
      write_descriptor(face, name, kSymbolic | (face.metrics().fixed_pitch ? kFixedPitch : 0), file, out);
  std::vector<std::pair<std::string, std::string>> codes;
  for (const std::uint16_t glyph : glyphs) {
    const char32_t c = face.code_point(glyph);
    const std::string text = c != 0 ? encode_utf8({&c, 1}) : use.text(font, glyph);
    if (!text.empty()) codes.emplace_back(fmt::format("{:04X}", glyph), text);
  }
  const ObjectNumber unicode = out.allocate();
  out.stream(unicode, "", to_unicode(codes, 2));
  const ObjectNumber descendant = out.allocate();
  out.object(descendant,
             fmt::format("<</Type/Font/Subtype/CIDFontType2/BaseFont/{}/CIDSystemInfo<</Registry(Adobe)"
                         "/Ordering(Identity)/Supplement 0>>/FontDescriptor {}/CIDToGIDMap/Identity/DW 0/W[{}]>>",
                         name, reference(descriptor), glyph_widths(face, glyphs)));
  const ObjectNumber number = out.allocate();
  out.object(number, fmt::format("<</Type/Font/Subtype/Type0/BaseFont/{}/Encoding/Identity-H/DescendantFonts[{}]"
                                 "/ToUnicode {}>>",
                                 name, reference(descendant), reference(unicode)));
  return number;
}

}  // namespace

Result<std::string> write_fonts(const FontSet& fonts, const GlyphUse& use, ObjectWriter& out) {
  std::string resources;
  for (std::size_t i = 0; i < fonts.size(); ++i) {
    const auto font = static_cast<FontId>(i);
    const FontFace& face = fonts.face(font);
    const std::vector<std::uint16_t> used = use.glyphs(font);
    const bool by_bytes = font == kRegularFont;
    if (used.empty() && !by_bytes) continue;

    std::vector<char32_t> code_points;
    const std::vector<std::uint8_t> bytes = used_bytes(use);
    if (by_bytes) {
      for (const std::uint8_t byte : bytes) code_points.push_back(win_ansi_code_point(byte));
    }
    TRY(const std::string program, face.subset({used.begin(), used.end()}, code_points));
    const ObjectNumber file = out.allocate();
    out.stream(file, fmt::format("/Length1 {}", program.size()), program);
    const std::string name = subset_tag(program) + "+" + face.postscript_name();
    if (by_bytes) resources += "/F0 " + reference(write_byte_font(face, name, bytes, file, out));
    if (!used.empty()) {
      resources += fmt::format("/F{} {}", i + 1, reference(write_glyph_font(fonts, font, name, use, file, out)));
    }
  }
  return resources;
}

}  // namespace longshore
