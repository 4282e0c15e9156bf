#include "encode/compress/chunk_deflater.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <string>
#include <vector>

namespace longshore {
namespace {

constexpr std::uint32_t kLevel = 1;
/// ISA-L counts in 32 bits; longer runs are deflated piece by piece.
constexpr std::size_t kMaxPiece = std::size_t{256} << 20;
/// These are flushed by themselves, 5 bytes for every chunk, because of a flaw in ISA-L 2.30: where a stream begins,
/// its level 1 and 2 hash the third byte from a register that still holds the address of the stream
/// (isal_deflate_icf_body_hash_hist_*, the path for has_hist == 0). The result inflates well, but differs from one
/// process to the next. Up to 16 bytes go another path, and what follows them is no beginning any more.
constexpr std::size_t kFirstBytes = 16;

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
  for (std::size_t begin = 0; begin < raw.size(); begin += kMaxPiece) {
    CHECK_OK(append_piece(raw.substr(begin, kMaxPiece), out));
  }
  return {};
}

Status ChunkDeflater::append_piece(std::string_view raw, ByteBuffer& out) {
  // What does not shrink is stored, with 5 bytes for every 65,535; the rest is for the flushes and to be sure.
  const std::size_t room = raw.size() + raw.size() / 64 + 1024;
  isal_zstream& stream = state_->stream;
  isal_deflate_init(&stream);
  stream.level = kLevel;
  stream.level_buf = state_->level_buffer.data();
  stream.level_buf_size = static_cast<std::uint32_t>(state_->level_buffer.size());
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(raw.data()));
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.reserve_back(room));
  stream.avail_out = static_cast<std::uint32_t>(room);

  const std::size_t first = std::min(raw.size(), kFirstBytes);
  int status = COMP_OK;
  if (first < raw.size()) {
    stream.flush = SYNC_FLUSH;
    stream.avail_in = static_cast<std::uint32_t>(first);
    status = isal_deflate(&stream);
  }
  if (status == COMP_OK) {
    stream.flush = FULL_FLUSH;
    stream.avail_in = static_cast<std::uint32_t>(first < raw.size() ? raw.size() - first : first);
    status = isal_deflate(&stream);
  }
  // Without room left the flush may be incomplete.
  if (status != COMP_OK || stream.avail_in != 0 || stream.avail_out == 0) {
    return fail(internal_error("deflate_failed", "ISA-L could not deflate " + std::to_string(raw.size()) +
                                                     " bytes (status " + std::to_string(status) + ")"));
  }
  out.grow(room - stream.avail_out);
  return {};
}

void ChunkDeflater::append_final_block(ByteBuffer& out) {
  // Last block, fixed Huffman codes, nothing but the end-of-block code.
  out.append(std::string_view("\x03\x00", 2));
}

}  // namespace longshore
