#pragma once

#include "encode/compress/chunk_deflater.h"
#include "encode/compress/compressor.h"

namespace longshore {

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
