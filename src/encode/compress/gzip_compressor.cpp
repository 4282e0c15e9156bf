#include "encode/compress/gzip_compressor.h"

#include <isa-l/igzip_lib.h>

#include <cstring>
#include <string>
#include <vector>

namespace longshore {
namespace {

constexpr std::uint32_t kLevel = 1;
/// ISA-L counts in 32 bits; longer runs are deflated piece by piece.
constexpr std::size_t kMaxPiece = std::size_t{256} << 20;

void append_little_endian(std::uint32_t value, ByteBuffer& out) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace

struct ChunkDeflater::State {
  isal_zstream stream;
  std::vector<std::uint8_t> level_buffer = std::vector<std::uint8_t>(ISAL_DEF_LVL1_DEFAULT);
};

ChunkDeflater::ChunkDeflater() : state_(std::make_unique<State>()) {}
ChunkDeflater::~ChunkDeflater() = default;
ChunkDeflater::ChunkDeflater(ChunkDeflater&&) noexcept = default;
ChunkDeflater& ChunkDeflater::operator=(ChunkDeflater&&) noexcept = default;

Status ChunkDeflater::append_chunk(std::string_view raw, ByteBuffer& out) {
  while (!raw.empty()) {
    const std::string_view piece = raw.substr(0, kMaxPiece);
    raw.remove_prefix(piece.size());
    // What does not shrink is stored, with 5 bytes for every 65,535; the rest is room for the flush.
    const std::size_t room = piece.size() + (piece.size() / 65'535 + 1) * 5 + 1024;
    // ISA-L leaves the hash table of the piece before in its buffer. Its matches would still be right (they are
    // checked), but the bytes would depend on what was compressed before; it is 20 KiB.
    std::memset(state_->level_buffer.data(), 0, ISAL_DEF_LVL1_REQ);
    isal_zstream& stream = state_->stream;
    isal_deflate_stateless_init(&stream);
    stream.level = kLevel;
    stream.level_buf = state_->level_buffer.data();
    stream.level_buf_size = static_cast<std::uint32_t>(state_->level_buffer.size());
    stream.flush = FULL_FLUSH;
    stream.end_of_stream = 0;
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(piece.data()));
    stream.avail_in = static_cast<std::uint32_t>(piece.size());
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.reserve_back(room));
    stream.avail_out = static_cast<std::uint32_t>(room);
    const int status = isal_deflate_stateless(&stream);
    if (status != COMP_OK || stream.avail_in != 0) {
      return fail(internal_error("deflate_failed", "ISA-L could not deflate " + std::to_string(piece.size()) +
                                                       " bytes (status " + std::to_string(status) + ")"));
    }
    out.grow(room - stream.avail_out);
  }
  return {};
}

void ChunkDeflater::append_final_block(ByteBuffer& out) {
  // Last block, fixed Huffman codes, nothing but the end-of-block code.
  out.append(std::string_view("\x03\x00", 2));
}

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
