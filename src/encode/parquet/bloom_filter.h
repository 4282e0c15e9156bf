#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"

namespace longshore::parquet {

/// The hash that Parquet's bloom filters are made of: xxHash64, seed 0, of a value's PLAIN bytes without a length.
std::uint64_t bloom_hash(const void* bytes, std::size_t n);

/// The bytes that a filter of `values` hashes takes: a power of two, because old readers want one, with at least eight
/// bits a value: at most one probe in forty finds what is not there.
std::size_t bloom_filter_bytes(std::size_t values);

/// Appends a split-block filter that holds `hashes` (apache/parquet-format, BloomFilter.md), without its header.
void append_bloom_filter(const std::vector<std::uint64_t>& hashes, ByteBuffer& out);

}  // namespace longshore::parquet
