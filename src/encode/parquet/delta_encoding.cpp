#include "parquet/delta_encoding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>

#include "parquet/bit_packing.h"

namespace longshore::parquet {
namespace {

constexpr std::size_t kBlock = 128;
constexpr std::size_t kGroups = 4;
constexpr std::size_t kGroup = kBlock / kGroups;

/// One block of up to 128 differences, the unused ones zero.
template <class Integer>
void append_block(std::array<std::make_unsigned_t<Integer>, kBlock>& differences, std::size_t n, ByteBuffer& out) {
  using Unsigned = std::make_unsigned_t<Integer>;
  Integer smallest = static_cast<Integer>(differences[0]);
  for (std::size_t i = 1; i < n; ++i) smallest = std::min(smallest, static_cast<Integer>(differences[i]));
  append_zigzag(smallest, out);

  std::array<std::uint64_t, kBlock> packed{};
  std::array<int, kGroups> widths{};
  for (std::size_t group = 0; group * kGroup < n; ++group) {
    std::uint64_t bits = 0;
    for (std::size_t i = group * kGroup; i < std::min(n, (group + 1) * kGroup); ++i) {
      packed[i] = static_cast<Unsigned>(differences[i] - static_cast<Unsigned>(smallest));
      bits |= packed[i];
    }
    widths[group] = std::bit_width(bits);
  }
  for (const int width : widths) out.push_back(static_cast<char>(width));
  // Groups without values take no room, the last one with values takes all of its own.
  for (std::size_t group = 0; group * kGroup < n; ++group) {
    append_packed_32(packed.data() + group * kGroup, widths[group], out);
  }
}

}  // namespace

template <class Integer>
void append_delta_packed(const Integer* values, std::size_t n, ByteBuffer& out) {
  using Unsigned = std::make_unsigned_t<Integer>;
  append_varint(kBlock, out);
  append_varint(kGroups, out);
  append_varint(n, out);
  append_zigzag(n == 0 ? 0 : values[0], out);
  std::array<Unsigned, kBlock> differences{};
  for (std::size_t first = 1; first < n; first += kBlock) {
    const std::size_t count = std::min(kBlock, n - first);
    for (std::size_t i = 0; i < count; ++i) {
      differences[i] = static_cast<Unsigned>(values[first + i]) - static_cast<Unsigned>(values[first + i - 1]);
    }
    append_block<Integer>(differences, count, out);
  }
}

template void append_delta_packed(const std::int32_t*, std::size_t, ByteBuffer&);
template void append_delta_packed(const std::int64_t*, std::size_t, ByteBuffer&);

}  // namespace longshore::parquet
