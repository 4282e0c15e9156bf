#include "encode/text/digits.h"

#include <array>
#include <string_view>

namespace longshore {
namespace {

constexpr std::uint64_t kTenTo19 = 10'000'000'000'000'000'000U;

/// Digits of any 128-bit value, without leading zeros; returns how many (1 to 39).
int write_magnitude(char* out, UInt128 value) {
  if (value < kTenTo19) return static_cast<int>(write_uint64(out, static_cast<std::uint64_t>(value)) - out);
  const UInt128 high = value / kTenTo19;
  const int leading = write_magnitude(out, high);
  write_padded(out + leading, static_cast<std::uint64_t>(value - high * kTenTo19), 19);
  return leading + 19;
}

constexpr auto kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (std::size_t i = 0; i < 256; ++i) {
    pairs[2 * i] = kDigits[i >> 4];
    pairs[2 * i + 1] = kDigits[i & 15];
  }
  return pairs;
}();

constexpr std::string_view kBase64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Two base64 characters for every value of 12 bits: halves the look-ups of the plain alphabet.
constexpr auto kBase64Pairs = [] {
  std::array<char, 8192> pairs{};
  for (std::size_t i = 0; i < 4096; ++i) {
    pairs[2 * i] = kBase64Alphabet[i >> 6];
    pairs[2 * i + 1] = kBase64Alphabet[i & 63];
  }
  return pairs;
}();

}  // namespace

char* write_decimal(char* out, Int128 value, int scale) {
  UInt128 magnitude = static_cast<UInt128>(value);
  if (value < 0) {
    *out++ = '-';
    magnitude = 0 - magnitude;
  }
  char digits[40];
  int count = write_magnitude(digits, magnitude);
  const char* from = digits;
  if (count > scale) {
    const int whole = count - scale;
    std::memcpy(out, from, static_cast<std::size_t>(whole));
    out += whole;
    from += whole;
    count = scale;
  } else {
    *out++ = '0';
  }
  if (scale == 0) return out;
  *out++ = '.';
  const int zeros = scale - count;
  std::memset(out, '0', static_cast<std::size_t>(zeros));
  std::memcpy(out + zeros, from, static_cast<std::size_t>(count));
  return out + scale;
}

char* write_uuid(char* out, const unsigned char* bytes) {
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    std::memcpy(out, &kHexPairs[2 * std::size_t{bytes[i]}], 2);
    out += 2;
  }
  return out;
}

char* write_base64(char* out, const char* bytes, std::size_t n) {
  const auto* in = reinterpret_cast<const unsigned char*>(bytes);
  for (; n >= 3; n -= 3, in += 3, out += 4) {
    const std::size_t group = std::size_t{in[0]} << 16 | std::size_t{in[1]} << 8 | in[2];
    std::memcpy(out, &kBase64Pairs[2 * (group >> 12)], 2);
    std::memcpy(out + 2, &kBase64Pairs[2 * (group & 4095)], 2);
  }
  if (n == 0) return out;
  const std::size_t group = std::size_t{in[0]} << 16 | (n == 2 ? std::size_t{in[1]} << 8 : 0);
  std::memcpy(out, &kBase64Pairs[2 * (group >> 12)], 2);
  out[2] = n == 2 ? kBase64Alphabet[(group >> 6) & 63] : '=';
  out[3] = '=';
  return out + 4;
}

}  // namespace longshore
