#include "xlsx/xml_text.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace longshore {
namespace {

/// One bit for each byte of a block; bit 0 is the first byte.
struct XmlMask {
  std::uint32_t special = 0;  ///< `& < >` and control characters
  std::uint32_t non_ascii = 0;
  std::uint32_t underscore = 0;
  std::uint32_t letter_x = 0;
};

inline bool is_special(unsigned char byte) {
  return byte < 0x20 || byte == '&' || byte == '<' || byte == '>';
}

/// Copies 16 bytes and classifies them.
inline XmlMask copy_block(const char* from, char* out) {
#if defined(__SSE2__)
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), block);
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
  const __m128i ampersand = _mm_cmpeq_epi8(block, _mm_set1_epi8('&'));
  // `<` and `>` differ in one bit.
  const __m128i bracket = _mm_cmpeq_epi8(_mm_and_si128(block, _mm_set1_epi8(~2)), _mm_set1_epi8('<'));
  const auto bits = [](__m128i bytes) { return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes)); };
  return {bits(_mm_or_si128(control, _mm_or_si128(ampersand, bracket))), bits(block),
          bits(_mm_cmpeq_epi8(block, _mm_set1_epi8('_'))), bits(_mm_cmpeq_epi8(block, _mm_set1_epi8('x')))};
#else
  XmlMask mask;
  for (int i = 0; i < 16; ++i) {
    out[i] = from[i];
    if (is_special(static_cast<unsigned char>(from[i]))) mask.special |= 1U << i;
    if (static_cast<unsigned char>(from[i]) >= 0x80) mask.non_ascii |= 1U << i;
    if (from[i] == '_') mask.underscore |= 1U << i;
    if (from[i] == 'x') mask.letter_x |= 1U << i;
  }
  return mask;
#endif
}

unsigned scan_bytes(const char* from, std::size_t n, char* out) {
  unsigned flags = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    out[i] = from[i];
    if (is_special(byte) || (byte == '_' && i + 1 < n && from[i + 1] == 'x')) return flags | kXmlSpecial;
    if (byte >= 0x80) flags |= kXmlNonAscii;
  }
  return flags;
}

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

char* write_escape(char* out, unsigned code) {
  *out++ = '_';
  *out++ = 'x';
  for (int shift = 12; shift >= 0; shift -= 4) *out++ = kHexDigits[(code >> shift) & 15];
  *out++ = '_';
  return out;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/// Whether U+FFFE or U+FFFF stands at `p`.
bool is_noncharacter(const char* p, const char* end) {
  return end - p >= 3 && p[0] == '\xEF' && p[1] == '\xBF' && (p[2] == '\xBE' || p[2] == '\xBF');
}

/// Whether what stands at `p` is written as an escape, which begins with an underscore.
bool is_escaped(const char* p, const char* end) {
  const auto byte = static_cast<unsigned char>(*p);
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || is_noncharacter(p, end);
}

/// Whether the underscore at `p` would begin an escape (`_x0041_`) in what is written. Its last underscore may be that
/// of an escape behind it.
bool is_escape(const char* p, const char* end) {
  return end - p >= 7 && p[1] == 'x' && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]) && is_hex(p[5]) &&
         (p[6] == '_' || is_escaped(p + 6, end));
}

char* write_word(char* out, std::string_view word) {
  std::memcpy(out, word.data(), word.size());
  return out + word.size();
}

/// Bytes that copy_xml_text() must look at: 0xEF begins U+FFFE and U+FFFF.
bool wants_look(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return is_special(byte) || byte == '_' || byte == 0xEF;
}

/// Writes the character at `p`, which wants a look, and moves `p` behind it.
char* write_looked_at(const char*& p, const char* end, char* out) {
  const char c = *p;
  switch (c) {
    case '&':
      ++p;
      return write_word(out, "&amp;");
    case '<':
      ++p;
      return write_word(out, "&lt;");
    case '>':
      ++p;
      return write_word(out, "&gt;");
    case '\r':
      ++p;
      return write_word(out, "&#13;");
    case '_':
      if (is_escape(p, end)) {
        ++p;
        return write_word(out, "_x005F_");
      }
      break;
    case '\xEF':
      if (is_noncharacter(p, end)) {
        out = write_escape(out, p[2] == '\xBE' ? 0xFFFE : 0xFFFF);
        p += 3;
        return out;
      }
      break;
    default:
      if (is_escaped(p, end)) {
        ++p;
        return write_escape(out, static_cast<unsigned char>(c));
      }
  }
  ++p;
  *out = c;
  return out + 1;
}

}  // namespace

unsigned scan_xml_short(const char* from, std::size_t n, char* out) {
  const XmlMask low = copy_block(from, out);
  const XmlMask high = copy_block(from + 16, out + 16);
  const auto inside = static_cast<std::uint32_t>((std::uint64_t{1} << n) - 1);
  const std::uint32_t escapes =
      (low.underscore | high.underscore << 16) & (((low.letter_x | high.letter_x << 16) & inside) >> 1);
  const std::uint32_t special = ((low.special | high.special << 16) & inside) | escapes;
  const std::uint32_t non_ascii = (low.non_ascii | high.non_ascii << 16) & inside;
  return (special != 0 ? kXmlSpecial : 0) | (non_ascii != 0 ? kXmlNonAscii : 0);
}

unsigned scan_xml(const char* from, std::size_t n, char* out) {
  if (n < 16) return scan_bytes(from, n, out);
  std::uint32_t non_ascii = 0;
  for (std::size_t i = 0;; i = i + 32 <= n ? i + 16 : n - 16) {
    const XmlMask mask = copy_block(from + i, out + i);
    non_ascii |= mask.non_ascii;
    // An underscore at the block's end may begin an escape in the next one.
    const bool at_end = (mask.underscore >> 15) != 0 && i + 16 < n && from[i + 16] == 'x';
    if ((mask.special | (mask.underscore & (mask.letter_x >> 1))) != 0 || at_end) return kXmlSpecial;
    if (i + 16 == n) return non_ascii != 0 ? kXmlNonAscii : 0;  // the last block overlaps the one before it
  }
}

char* copy_xml_text(std::string_view text, char* out) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
#if defined(__SSE2__)
    if (end - p >= 16) {
      const XmlMask mask = copy_block(p, out);
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const auto lead_ef =
          static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(static_cast<char>(0xEF)))));
      const std::uint32_t look = mask.special | mask.underscore | lead_ef;
      const int plain = look == 0 ? 16 : std::countr_zero(look);
      p += plain;
      out += plain;
      if (look != 0) out = write_looked_at(p, end, out);
      continue;
    }
#endif
    if (wants_look(*p)) {
      out = write_looked_at(p, end, out);
    } else {
      *out++ = *p++;
    }
  }
  return out;
}

std::string xml_text(std::string_view text) {
  std::string result(kXmlTextGrowth * text.size() + 16, '\0');
  result.resize(static_cast<std::size_t>(copy_xml_text(text, result.data()) - result.data()));
  return result;
}

std::string xml_attribute(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  std::string result;
  for (const char c : xml_text(plain)) {
    if (c == '"') {
      result += "&quot;";
    } else {
      result += c;
    }
  }
  return result;
}

std::size_t bytes_of_units(std::string_view text, std::size_t units) {
  std::size_t used = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    used += size == 4 ? 2 : 1;  // beyond the basic plane: a surrogate pair
    if (used > units) return i;
    i += size;
  }
  return text.size();
}

std::string repaired_utf8(std::string_view text) {
  if (text.empty()) return {};  // which may have no address
  std::string result(3 * text.size(), '\0');
  result.resize(static_cast<std::size_t>(copy_as_utf8(text, result.data()) - result.data()));
  return result;
}

}  // namespace longshore
