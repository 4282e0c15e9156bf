#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"

namespace longshore::parquet {

/// The finished pages of a row group, whose columns take turns while it is filled and lie apart in the file. Bytes are
/// appended into blocks that are kept for the next row group, so that nothing is moved and nothing grows.
class PageStore {
 public:
  /// Where bytes lie.
  struct Place {
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  Place append(std::string_view bytes) {
    const Place place{size_, bytes.size()};
    while (!bytes.empty()) {
      const std::size_t used = size_ % kBlockBytes;
      if (size_ / kBlockBytes == blocks_.size()) blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
      const std::string_view piece = bytes.substr(0, kBlockBytes - used);
      std::memcpy(blocks_[size_ / kBlockBytes].get() + used, piece.data(), piece.size());
      size_ += piece.size();
      bytes.remove_prefix(piece.size());
    }
    return place;
  }

  void copy(Place place, ByteBuffer& out) const {
    while (place.size > 0) {
      const std::size_t used = place.begin % kBlockBytes;
      const std::size_t piece = std::min(place.size, kBlockBytes - used);
      out.append(blocks_[place.begin / kBlockBytes].get() + used, piece);
      place.begin += piece;
      place.size -= piece;
    }
  }

  std::size_t size() const { return size_; }

  /// Forgets the bytes; gives blocks back that only an unusual row group needed.
  void clear() {
    constexpr std::size_t kBlocksKept = 16;
    if (blocks_.size() > kBlocksKept) blocks_.resize(kBlocksKept);
    size_ = 0;
  }

 private:
  static constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t size_ = 0;
};

}  // namespace longshore::parquet
