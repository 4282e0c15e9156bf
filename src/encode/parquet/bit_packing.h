#pragma once

#include <cstddef>
#include <cstdint>

#include "base/byte_buffer.h"

/// Parquet's integer packings (apache/parquet-format, Encodings.md): bits from the least significant end, and the
/// hybrid of runs (RLE) and packed groups of eight. Pure functions.
namespace longshore::parquet {

/// Unsigned LEB128, as Thrift and Parquet use it.
void append_varint(std::uint64_t value, ByteBuffer& out);
/// Signed numbers as varints, small magnitudes first (0, -1, 1, -2, …).
inline void append_zigzag(std::int64_t value, ByteBuffer& out) {
  append_varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63), out);
}

/// Bits that hold 0 to `largest`; at least 1, because readers disagree about width 0.
int bits_for(std::uint32_t largest);

/// `n` values of `width` bits (1 to 16) as the hybrid, without the length or width that go before it in some places.
void append_hybrid(const std::uint16_t* values, std::size_t n, int width, ByteBuffer& out);
/// The hybrid at width 1 of `n` bits, which lie in `bits` from the least significant end.
/// REQUIRES: bits behind the last one of the last byte are 0.
void append_hybrid_bits(const std::uint8_t* bits, std::size_t n, ByteBuffer& out);
/// append_hybrid() and append_hybrid_bits() with their length before them, in four bytes.
void append_sized_hybrid(const std::uint16_t* values, std::size_t n, int width, ByteBuffer& out);
void append_sized_hybrid_bits(const std::uint8_t* bits, std::size_t n, ByteBuffer& out);
/// A single run.
void append_run(std::uint64_t count, std::uint16_t value, int width, ByteBuffer& out);

/// 32 values of `width` bits (0 to 64): 4 * width bytes.
void append_packed_32(const std::uint64_t* values, int width, ByteBuffer& out);

/// One byte for each of `n` truth values (0 or 1) to one bit each, the last byte padded with 0.
void append_truth_bits(const std::uint8_t* truths, std::size_t n, ByteBuffer& out);

}  // namespace longshore::parquet
