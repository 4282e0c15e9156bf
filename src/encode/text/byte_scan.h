#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace longshore {

/// What a scan saw. A scan that meets a special byte stops there and may miss later non-ASCII bytes.
inline constexpr unsigned kScanSpecial = 1;   ///< a byte that the format must quote or escape
inline constexpr unsigned kScanNonAscii = 2;  ///< a byte from 0x80 on

/// One bit for each byte of a block; bit 0 is the first byte.
struct BlockMask {
  std::uint32_t special;
  std::uint32_t non_ascii;
};

/// The bytes that force a CSV cell into quotes: the quote, CR, LF and the delimiter.
struct CsvSpecials {
  char delimiter;

  bool operator()(char byte) const { return byte == '"' || byte == '\n' || byte == '\r' || byte == delimiter; }
#if defined(__SSE2__)
  __m128i operator()(__m128i block) const {
    const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    const __m128i line_feed = _mm_cmpeq_epi8(block, _mm_set1_epi8('\n'));
    const __m128i carriage_return = _mm_cmpeq_epi8(block, _mm_set1_epi8('\r'));
    const __m128i separator = _mm_cmpeq_epi8(block, _mm_set1_epi8(delimiter));
    return _mm_or_si128(_mm_or_si128(quote, line_feed), _mm_or_si128(carriage_return, separator));
  }
#endif
};

/// The bytes that RFC 8259 section 7 wants escaped: the quote, the backslash and everything below 0x20.
struct JsonSpecials {
  bool operator()(char byte) const { return byte == '"' || byte == '\\' || static_cast<unsigned char>(byte) < 0x20; }
#if defined(__SSE2__)
  __m128i operator()(__m128i block) const {
    const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
    return _mm_or_si128(_mm_or_si128(quote, backslash), control);
  }
#endif
};

/// Copies 16 bytes and classifies them. REQUIRES: 16 readable bytes at `from`, 16 writable at `out`.
template <class Specials>
inline BlockMask copy_block(const char* from, char* out, const Specials& specials) {
#if defined(__SSE2__)
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), block);
  return {static_cast<std::uint32_t>(_mm_movemask_epi8(specials(block))),
          static_cast<std::uint32_t>(_mm_movemask_epi8(block))};
#else
  BlockMask mask{0, 0};
  for (int i = 0; i < 16; ++i) {
    out[i] = from[i];
    if (specials(from[i])) mask.special |= 1U << i;
    if (static_cast<unsigned char>(from[i]) >= 0x80) mask.non_ascii |= 1U << i;
  }
  return mask;
#endif
}

/// Copies a run of up to 32 bytes and scans all of it, without a branch on its length.
/// REQUIRES: n <= 32; 32 readable bytes at `from` (what lies behind the run is ignored), 32 writable at `out`.
template <class Specials>
inline unsigned scan_short(const char* from, std::size_t n, char* out, const Specials& specials) {
  const BlockMask low = copy_block(from, out, specials);
  const BlockMask high = copy_block(from + 16, out + 16, specials);
  const auto inside = static_cast<std::uint32_t>((std::uint64_t{1} << n) - 1);
  const std::uint32_t special = (low.special | high.special << 16) & inside;
  const std::uint32_t non_ascii = (low.non_ascii | high.non_ascii << 16) & inside;
  return (special != 0 ? kScanSpecial : 0) | (non_ascii != 0 ? kScanNonAscii : 0);
}

/// Copies a run of any length while scanning it; stops at the first block with a special byte. The flags do not depend
/// on the implementation, except that kScanNonAscii is unreliable beside kScanSpecial.
/// REQUIRES: n readable bytes at `from`, n writable at `out`.
struct ScanFunctions {
  unsigned (*csv)(const char* from, std::size_t n, char* out, CsvSpecials specials);
  unsigned (*json)(const char* from, std::size_t n, char* out, JsonSpecials specials);
};

/// What every CPU of the build's architecture runs.
const ScanFunctions& baseline_scan();
/// AVX2; nullptr where this CPU or build has none.
const ScanFunctions* avx2_scan();
/// The fastest that this CPU runs.
const ScanFunctions& fastest_scan();

}  // namespace longshore
