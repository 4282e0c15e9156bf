#pragma once

#include <string_view>

#include "base/byte_buffer.h"

struct libdeflate_compressor;

namespace longshore {

/// zlib streams (RFC 1950), as PDF's FlateDecode wants them. The same input gives the same bytes on every CPU. Not
/// thread-safe.
class StreamCompressor {
 public:
  /// `level`: 1 (fastest) to 12. Throws std::bad_alloc.
  explicit StreamCompressor(int level);
  ~StreamCompressor();
  StreamCompressor(const StreamCompressor&) = delete;
  StreamCompressor& operator=(const StreamCompressor&) = delete;

  /// Valid until the next call.
  std::string_view compress(std::string_view data);

 private:
  libdeflate_compressor* handle_;
  ByteBuffer out_;
};

}  // namespace longshore
