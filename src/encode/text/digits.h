#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "batch/column_vector.h"

namespace longshore {

/// Copies a fixed word and returns its end.
inline char* write_word(char* out, std::string_view word) {
  std::memcpy(out, word.data(), word.size());
  return out + word.size();
}

/// The decimal digits of 0 to 99, two bytes each.
inline constexpr auto kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

/// Writes exactly two digits. REQUIRES: value < 100.
inline void write_digit_pair(char* out, std::uint32_t value) {
  std::memcpy(out, &kDigitPairs[2 * std::size_t{value}], 2);
}

/// How many decimal digits `value` has; 1 for 0.
inline int count_digits(std::uint64_t value) {
  constexpr std::uint64_t kPowers[] = {0,
                                       10,
                                       100,
                                       1'000,
                                       10'000,
                                       100'000,
                                       1'000'000,
                                       10'000'000,
                                       100'000'000,
                                       1'000'000'000,
                                       10'000'000'000,
                                       100'000'000'000,
                                       1'000'000'000'000,
                                       10'000'000'000'000,
                                       100'000'000'000'000,
                                       1'000'000'000'000'000,
                                       10'000'000'000'000'000,
                                       100'000'000'000'000'000,
                                       1'000'000'000'000'000'000,
                                       10'000'000'000'000'000'000U};
  // 1233 / 4096 approximates log10(2) closely enough for 64 bits; the table corrects the guess where it is one too
  // high.
  const int guess = (std::bit_width(value | 1) * 1233) >> 12;
  return guess + (value >= kPowers[guess] ? 1 : 0);
}

/// Writes the last `digits` decimal digits of `value`, padded with zeros on the left.
inline void write_padded(char* out, std::uint64_t value, int digits) {
  char* end = out + digits;
  while (end - out >= 2) {
    end -= 2;
    write_digit_pair(end, static_cast<std::uint32_t>(value % 100));
    value /= 100;
  }
  if (end != out) *out = static_cast<char>('0' + value % 10);
}

/// Each of these writes at `out` and returns the end of what it wrote (at most 20 bytes).
inline char* write_uint64(char* out, std::uint64_t value) {
  const int digits = count_digits(value);
  write_padded(out, value, digits);
  // With an odd count write_padded() took the leading digit modulo 10, which is that digit.
  return out + digits;
}

inline char* write_int64(char* out, std::int64_t value) {
  std::uint64_t magnitude = static_cast<std::uint64_t>(value);
  if (value < 0) {
    *out++ = '-';
    magnitude = 0 - magnitude;
  }
  return write_uint64(out, magnitude);
}

/// Exact text of `value` / 10^scale with exactly `scale` fractional digits, e.g. `-0.05`. Writes at most 42 bytes.
/// REQUIRES: 0 <= scale <= 38.
char* write_decimal(char* out, Int128 value, int scale);

/// The 36 characters of RFC 9562 section 4, lower case. REQUIRES: 16 bytes at `bytes`.
char* write_uuid(char* out, const unsigned char* bytes);

/// Base64 of RFC 4648 section 4 with padding: writes 4 bytes for every 3, rounded up.
char* write_base64(char* out, const char* bytes, std::size_t n);

}  // namespace longshore
