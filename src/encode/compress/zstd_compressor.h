#pragma once

#include <memory>

#include "encode/compress/compressor.h"

namespace longshore {

/// zstd (RFC 8878) in one frame, because some readers (python-zstandard and so pandas) stop after the first.
///
/// Each chunk is compressed by itself with the same parameters, and its frame header dropped; the file has one header,
/// whose window is the one all chunks were made for and whose content size is the file's. Three things could tie a
/// chunk to the one before it, and none does:
///  - matches: a context begins with an empty history, so no offset reaches back beyond the chunk;
///  - entropy tables ("treeless" literals, repeated sequence tables): a context begins without any to repeat;
///  - repeat offsets: a decoder keeps the last three over chunks, where the compressor assumes 1, 4, 8. So the
///    compressor is told that it knows none, which is what zstd's own multithreaded compressor does for its jobs.
class ZstdCompressor final : public Compressor {
 public:
  /// Errors: `zstd_failed` (internal).
  static Result<std::unique_ptr<Compressor>> make();
  ~ZstdCompressor() override;

  bool needs_crc32() const override { return false; }
  void append_header(const RawFile& file, ByteBuffer& out) const override;
  /// Errors: `zstd_failed` (internal).
  Status append_chunk(std::string_view raw, ByteBuffer& out) override;
  void append_trailer(const RawFile& file, ByteBuffer& out) const override;

 private:
  struct State;
  explicit ZstdCompressor(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace longshore
