#pragma once

#include <memory>

#include "encode/compress/compressor.h"

namespace longshore {

/// Raw deflate (RFC 1951) in chunks that end byte aligned, after a full flush, and refer to nothing before them.
/// By ISA-L, whose output is the same for the same bytes on CPUs of one kind, but not on all kinds.
class ChunkDeflater {
 public:
  ChunkDeflater();
  ~ChunkDeflater();
  ChunkDeflater(ChunkDeflater&&) noexcept;
  ChunkDeflater& operator=(ChunkDeflater&&) noexcept;

  /// Errors: `deflate_failed` (internal).
  Status append_chunk(std::string_view raw, ByteBuffer& out);
  /// The empty block that ends a deflate stream.
  static void append_final_block(ByteBuffer& out);

 private:
  struct State;
  Status append_piece(std::string_view raw, ByteBuffer& out);

  std::unique_ptr<State> state_;
};

/// gzip (RFC 1952) in one member, because many readers, Java's among them, stop after the first.
class GzipCompressor final : public Compressor {
 public:
  bool needs_crc32() const override { return true; }
  void append_header(const RawFile& file, ByteBuffer& out) const override;
  Status append_chunk(std::string_view raw, ByteBuffer& out) override { return deflater_.append_chunk(raw, out); }
  void append_trailer(const RawFile& file, ByteBuffer& out) const override;

 private:
  ChunkDeflater deflater_;
};

}  // namespace longshore
