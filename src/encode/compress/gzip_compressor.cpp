#include "encode/compress/gzip_compressor.h"

#include <cstdint>

namespace longshore {
namespace {

void append_little_endian(std::uint32_t value, ByteBuffer& out) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace

void GzipCompressor::append_header(const RawFile&, ByteBuffer& out) const {
  // Deflate, no flags, no time, fastest algorithm, unknown system: the same bytes wherever and whenever it is written.
  out.append(std::string_view("\x1F\x8B\x08\x00\x00\x00\x00\x00\x04\xFF", 10));
}

void GzipCompressor::append_trailer(const RawFile& file, ByteBuffer& out) const {
  ChunkDeflater::append_final_block(out);
  append_little_endian(file.crc32, out);
  append_little_endian(static_cast<std::uint32_t>(file.bytes), out);  // ISIZE is modulo 2^32
}

}  // namespace longshore
