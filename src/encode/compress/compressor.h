#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "model/export_spec.h"

namespace longshore {

/// The whole uncompressed file, as the container's ends need it.
struct RawFile {
  std::uint64_t bytes = 0;
  bool size_known = true;   ///< false: the file is streamed, and `bytes` means nothing yet
  std::uint32_t crc32 = 0;  ///< only where needs_crc32()
};

/// A compressed container that is written in chunks which know nothing of each other, by different machines, and is one
/// gzip member or one zstd frame all the same: `header, chunks…, trailer`. Keeps its tables between chunks, yet the
/// bytes of a chunk are a function of the chunk alone. Not thread-safe.
class Compressor {
 public:
  virtual ~Compressor() = default;
  virtual bool needs_crc32() const = 0;
  virtual void append_header(const RawFile& file, ByteBuffer& out) const = 0;
  /// Compresses `raw` so that it may be followed by any other chunk or the trailer. Nothing for nothing.
  virtual Status append_chunk(std::string_view raw, ByteBuffer& out) = 0;
  virtual void append_trailer(const RawFile& file, ByteBuffer& out) const = 0;
};

/// REQUIRES: compression is not `none`.
Result<std::unique_ptr<Compressor>> make_compressor(Compression compression);

}  // namespace longshore
