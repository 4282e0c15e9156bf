#pragma once

#include <memory>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/result.h"

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

}  // namespace longshore
