#pragma once

#include <cstddef>
#include <cstdint>

#include "base/byte_buffer.h"

namespace longshore::parquet {

/// DELTA_BINARY_PACKED (apache/parquet-format, Encodings.md): the first value, then the differences in blocks of 128,
/// each block less its smallest difference, packed in four groups of 32 at the width each group needs.
/// `Integer` is std::int32_t or std::int64_t; differences wrap around at its width.
template <class Integer>
void append_delta_packed(const Integer* values, std::size_t n, ByteBuffer& out);

extern template void append_delta_packed(const std::int32_t*, std::size_t, ByteBuffer&);
extern template void append_delta_packed(const std::int64_t*, std::size_t, ByteBuffer&);

}  // namespace longshore::parquet
