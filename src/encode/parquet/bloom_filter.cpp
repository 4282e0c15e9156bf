#include "parquet/bloom_filter.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace longshore::parquet {
namespace {

/// A block is eight words, in each of which a value sets one bit.
constexpr std::size_t kBlockBytes = 32;
constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
/// From BloomFilter.md.
constexpr std::array<std::uint32_t, 8> kSalts{0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D,
                                              0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31};

}  // namespace

std::uint64_t bloom_hash(const void* bytes, std::size_t n) {
  return XXH64(bytes, n, 0);
}

std::size_t bloom_filter_bytes(std::size_t values) {
  return std::clamp(std::bit_ceil(values), kBlockBytes, kMaxBytes);
}

void append_bloom_filter(const std::vector<std::uint64_t>& hashes, ByteBuffer& out) {
  const std::size_t bytes = bloom_filter_bytes(hashes.size());
  const std::uint64_t blocks = bytes / kBlockBytes;
  char* const filter = out.reserve_back(bytes);
  std::memset(filter, 0, bytes);
  for (const std::uint64_t hash : hashes) {
    // The upper half chooses the block, the lower half the bits.
    char* const block = filter + ((hash >> 32) * blocks >> 32) * kBlockBytes;
    std::array<std::uint32_t, 8> words{};
    std::memcpy(words.data(), block, kBlockBytes);
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] |= std::uint32_t{1} << (static_cast<std::uint32_t>(hash) * kSalts[i] >> 27);
    }
    std::memcpy(block, words.data(), kBlockBytes);
  }
  out.grow(bytes);
}

}  // namespace longshore::parquet
