#include "encode/text/byte_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace longshore {
namespace {

template <class Specials>
unsigned scan_bytes(const char* from, std::size_t n, char* out, const Specials& specials) {
  unsigned flags = 0;
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = from[i];
    if (specials(from[i])) return flags | kScanSpecial;
    if (static_cast<unsigned char>(from[i]) >= 0x80) flags |= kScanNonAscii;
  }
  return flags;
}

template <class Specials>
unsigned scan_baseline(const char* from, std::size_t n, char* out, Specials specials) {
  if (n < 16) return scan_bytes(from, n, out, specials);
  std::uint32_t non_ascii = 0;
  for (std::size_t i = 0;; i = i + 32 <= n ? i + 16 : n - 16) {
    const BlockMask mask = copy_block(from + i, out + i, specials);
    if (mask.special != 0) return kScanSpecial;
    non_ascii |= mask.non_ascii;
    if (i + 16 == n) return non_ascii != 0 ? kScanNonAscii : 0;  // the last block overlaps the one before it
  }
}

#if defined(__x86_64__)

[[gnu::target("avx2")]] inline __m256i special_bytes(__m256i block, CsvSpecials specials) {
  const __m256i quote = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('"'));
  const __m256i line_feed = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('\n'));
  const __m256i carriage_return = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('\r'));
  const __m256i separator = _mm256_cmpeq_epi8(block, _mm256_set1_epi8(specials.delimiter));
  return _mm256_or_si256(_mm256_or_si256(quote, line_feed), _mm256_or_si256(carriage_return, separator));
}

[[gnu::target("avx2")]] inline __m256i special_bytes(__m256i block, JsonSpecials) {
  const __m256i quote = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('"'));
  const __m256i backslash = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('\\'));
  const __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(block, _mm256_set1_epi8(0x1F)), block);
  return _mm256_or_si256(_mm256_or_si256(quote, backslash), control);
}

template <class Specials>
[[gnu::target("avx2")]] unsigned scan_avx2(const char* from, std::size_t n, char* out, Specials specials) {
  if (n < 32) return scan_baseline(from, n, out, specials);
  __m256i seen = _mm256_setzero_si256();
  for (std::size_t i = 0;; i = i + 64 <= n ? i + 32 : n - 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), block);
    if (_mm256_movemask_epi8(special_bytes(block, specials)) != 0) return kScanSpecial;
    seen = _mm256_or_si256(seen, block);
    if (i + 32 == n) return _mm256_movemask_epi8(seen) != 0 ? kScanNonAscii : 0;
  }
}

#endif

}  // namespace

const ScanFunctions& baseline_scan() {
  static constexpr ScanFunctions kFunctions{scan_baseline<CsvSpecials>, scan_baseline<JsonSpecials>};
  return kFunctions;
}

const ScanFunctions* avx2_scan() {
#if defined(__x86_64__)
  static constexpr ScanFunctions kFunctions{scan_avx2<CsvSpecials>, scan_avx2<JsonSpecials>};
  static const bool supported = __builtin_cpu_supports("avx2") != 0;
  return supported ? &kFunctions : nullptr;
#else
  return nullptr;
#endif
}

const ScanFunctions& fastest_scan() {
  const ScanFunctions* wide = avx2_scan();
  return wide != nullptr ? *wide : baseline_scan();
}

}  // namespace longshore
