#include "parquet/bit_packing.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "batch/column_vector.h"

namespace longshore::parquet {
namespace {

/// Runs shorter than this are cheaper inside packed groups, which they would cut in two.
constexpr std::size_t kShortestRun = 32;
constexpr std::size_t kGroup = 8;

/// Packs groups of eight: 8 * Width bits are Width bytes. Writes up to 16 bytes beyond the end.
template <int Width>
char* pack_groups(const std::uint16_t* values, std::size_t groups, char* out) {
  for (std::size_t group = 0; group < groups; ++group, values += kGroup, out += Width) {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    for (int i = 0; i < 4; ++i) {
      low |= std::uint64_t{values[i]} << (i * Width);
      high |= std::uint64_t{values[4 + i]} << (i * Width);
    }
    if constexpr (Width <= 8) {
      const std::uint64_t both = low | high << (4 * Width);
      std::memcpy(out, &both, 8);
    } else {
      const UInt128 both = UInt128{low} | UInt128{high} << (4 * Width);
      std::memcpy(out, &both, 16);
    }
  }
  return out;
}

using PackGroups = char* (*)(const std::uint16_t*, std::size_t, char*);

template <int... Widths>
constexpr auto make_kernels(std::integer_sequence<int, Widths...>) {
  return std::array<PackGroups, sizeof...(Widths)>{&pack_groups<Widths + 1>...};
}

/// By width - 1.
constexpr auto kKernels = make_kernels(std::make_integer_sequence<int, 16>{});

/// A run of packed groups. The last group may be short; it is filled up with zeros, which readers cut off by count.
void append_literals(const std::uint16_t* values, std::size_t n, int width, ByteBuffer& out) {
  if (n == 0) return;
  const std::size_t groups = (n + kGroup - 1) / kGroup;
  append_varint(groups << 1 | 1, out);
  const PackGroups pack = kKernels[static_cast<std::size_t>(width) - 1];
  const std::size_t bytes = groups * static_cast<std::size_t>(width);
  char* end = pack(values, n / kGroup, out.reserve_back(bytes + 16));
  if (n % kGroup != 0) {
    std::array<std::uint16_t, kGroup> last{};
    std::copy_n(values + n / kGroup * kGroup, n % kGroup, last.begin());
    pack(last.data(), 1, end);
  }
  out.grow(bytes);
}

bool is_uniform_group(const std::uint16_t* values) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::memcpy(&low, values, 8);
  std::memcpy(&high, values + 4, 8);
  const std::uint64_t repeated = values[0] * 0x0001'0001'0001'0001U;
  return low == repeated && high == repeated;
}

/// How many bytes from `first` on equal its byte; 0 if that is neither all zeros nor all ones.
std::size_t equal_bytes(const std::uint8_t* bits, std::size_t first, std::size_t last) {
  const std::uint8_t byte = bits[first];
  if (byte != 0 && byte != 0xFF) return 0;
  std::size_t end = first + 1;
  while (end < last && bits[end] == byte) ++end;
  return end - first;
}

constexpr std::size_t kSizeBytes = 4;

/// Leaves room for a length; returns where what it counts begins.
std::size_t begin_sized(ByteBuffer& out) {
  out.reserve_back(kSizeBytes);
  out.grow(kSizeBytes);
  return out.size();
}

void end_sized(std::size_t begin, ByteBuffer& out) {
  const auto size = static_cast<std::uint32_t>(out.size() - begin);
  std::memcpy(out.data() + begin - kSizeBytes, &size, kSizeBytes);
}

void append_literal_bits(const std::uint8_t* bits, std::size_t bytes, ByteBuffer& out) {
  if (bytes == 0) return;
  append_varint(bytes << 1 | 1, out);
  out.append(bits, bytes);
}

}  // namespace

void append_varint(std::uint64_t value, ByteBuffer& out) {
  char* const begin = out.reserve_back(10);
  char* end = begin;
  while (value >= 0x80) {
    *end++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *end++ = static_cast<char>(value);
  out.grow(static_cast<std::size_t>(end - begin));
}

int bits_for(std::uint32_t largest) {
  return std::max(1, static_cast<int>(std::bit_width(largest)));
}

void append_run(std::uint64_t count, std::uint16_t value, int width, ByteBuffer& out) {
  append_varint(count << 1, out);
  out.push_back(static_cast<char>(value));
  if (width > 8) out.push_back(static_cast<char>(value >> 8));
}

void append_hybrid(const std::uint16_t* values, std::size_t n, int width, ByteBuffer& out) {
  std::size_t literals = 0;  // where the values that are not yet written begin
  std::size_t at = 0;        // a whole number of groups behind it
  while (at + kGroup <= n) {
    if (!is_uniform_group(values + at)) {
      at += kGroup;
      continue;
    }
    std::size_t end = at + kGroup;
    while (end < n && values[end] == values[at]) ++end;
    if (end - at < kShortestRun) {
      at += kGroup;
      continue;
    }
    append_literals(values + literals, at - literals, width, out);
    append_run(end - at, values[at], width, out);
    literals = at = end;
  }
  append_literals(values + literals, n - literals, width, out);
}

void append_hybrid_bits(const std::uint8_t* bits, std::size_t n, ByteBuffer& out) {
  constexpr std::size_t kShortestByteRun = kShortestRun / 8;
  const std::size_t whole = n / 8;
  std::size_t literals = 0;
  for (std::size_t at = 0; at < whole;) {
    const std::size_t equal = equal_bytes(bits, at, whole);
    if (equal < kShortestByteRun) {
      at += std::max<std::size_t>(equal, 1);
      continue;
    }
    append_literal_bits(bits + literals, at - literals, out);
    append_run(equal * 8, bits[at] & 1, 1, out);
    literals = at += equal;
  }
  append_literal_bits(bits + literals, (n + 7) / 8 - literals, out);
}

void append_sized_hybrid(const std::uint16_t* values, std::size_t n, int width, ByteBuffer& out) {
  const std::size_t begin = begin_sized(out);
  append_hybrid(values, n, width, out);
  end_sized(begin, out);
}

void append_sized_hybrid_bits(const std::uint8_t* bits, std::size_t n, ByteBuffer& out) {
  const std::size_t begin = begin_sized(out);
  append_hybrid_bits(bits, n, out);
  end_sized(begin, out);
}

void append_packed_32(const std::uint64_t* values, int width, ByteBuffer& out) {
  if (width == 0) return;
  char* end = out.reserve_back(4 * static_cast<std::size_t>(width) + 8);
  UInt128 pending = 0;
  int bits = 0;
  for (int i = 0; i < 32; ++i) {
    pending |= UInt128{values[i]} << bits;
    bits += width;
    if (bits >= 64) {
      const auto word = static_cast<std::uint64_t>(pending);
      std::memcpy(end, &word, 8);
      end += 8;
      pending >>= 64;
      bits -= 64;
    }
  }
  const auto rest = static_cast<std::uint64_t>(pending);  // 32 * width bits are a multiple of 32
  std::memcpy(end, &rest, 8);
  out.grow(4 * static_cast<std::size_t>(width));
}

void append_truth_bits(const std::uint8_t* truths, std::size_t n, ByteBuffer& out) {
  const std::size_t bytes = (n + 7) / 8;
  char* const begin = out.reserve_back(bytes);
  // The multiplication moves the lowest bit of byte i to bit 56 + i.
  constexpr std::uint64_t kGather = 0x0102'0408'1020'4080U;
  for (std::size_t i = 0; i < n / 8; ++i) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, truths + 8 * i, 8);
    begin[i] = static_cast<char>(eight * kGather >> 56);
  }
  if (n % 8 != 0) {
    unsigned last = 0;
    for (std::size_t i = n / 8 * 8; i < n; ++i) last |= static_cast<unsigned>(truths[i]) << (i % 8);
    begin[n / 8] = static_cast<char>(last);
  }
  out.grow(bytes);
}

}  // namespace longshore::parquet
