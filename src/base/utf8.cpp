#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace longshore {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;

/// Where the run of ASCII bytes that begins at `p` ends.
const unsigned char* skip_ascii(const unsigned char* p, const unsigned char* end) {
  while (end - p >= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    if ((word & kHighBits) != 0) break;
    p += 8;
  }
  while (p != end && *p < 0x80) ++p;
  return p;
}

struct Sequence {
  std::size_t size;  ///< bytes of the character, or of the maximal ill-formed run
  bool valid;
};

bool is_continuation(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

/// Judges the sequence at `p`, whose first byte is not ASCII (Unicode table 3-7). REQUIRES: p < end.
Sequence read_sequence(const unsigned char* p, const unsigned char* end) {
  const unsigned char lead = *p;
  const auto left = static_cast<std::size_t>(end - p);
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;   // no overlong forms
  if (lead == 0xED) high = 0x9F;  // no surrogates
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;  // nothing above U+10FFFF
  if (left < 2 || p[1] < low || p[1] > high) return {1, false};
  for (std::size_t i = 2; i < size; ++i) {
    if (i == left || !is_continuation(p[i])) return {i, false};
  }
  return {size, true};
}

}  // namespace

bool is_ascii(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  return skip_ascii(p, p + text.size()) == p + text.size();
}

bool is_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* end = p + text.size();
  while ((p = skip_ascii(p, end)) != end) {
    // Characters of one script stand together: stay here until ASCII comes again.
    do {
      const Sequence sequence = read_sequence(p, end);
      if (!sequence.valid) return false;
      p += sequence.size;
    } while (p != end && *p >= 0x80);
  }
  return true;
}

char* copy_as_utf8(std::string_view text, char* out) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* end = p + text.size();
  const unsigned char* copied = p;  // everything before it is in `out`
  while ((p = skip_ascii(p, end)) != end) {
    const Sequence sequence = read_sequence(p, end);
    if (!sequence.valid) {
      std::memcpy(out, copied, static_cast<std::size_t>(p - copied));
      out += p - copied;
      std::memcpy(out, "\xEF\xBF\xBD", 3);
      out += 3;
      copied = p + sequence.size;
    }
    p += sequence.size;
  }
  if (copied != end) std::memcpy(out, copied, static_cast<std::size_t>(end - copied));  // no text may be no address
  return out + (end - copied);
}

}  // namespace longshore
