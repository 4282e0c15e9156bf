#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "base/byte_buffer.h"
#include "model/chunk_summary.h"
#include "model/key.h"

namespace longshore {

/// Bytes that are ready to become a part: whole chunks, with what a checkpoint must remember of them.
struct CutPart {
  std::string_view bytes;  ///< into the cutter's buffer, valid until drop()
  ChunkSummary summary;
  KeyTuple last_key;
};

/// Cuts the output of one partition's encoder into parts at chunk borders.
///
/// Invariant: a part is cut off only when at least `kMinPartBytes` bytes of whole chunks stay behind it, so that the
/// last part of a partition is never under the store's minimum. Where the cuts lie depends on the chunks alone, so a
/// resumed partition cuts the same parts. Memory: at most part size + 5 MiB + two chunks.
class PartCutter {
 public:
  /// Where the encoder appends.
  ByteBuffer& out() { return pending_; }
  /// All bytes since the last border are a chunk.
  void close_chunk(ChunkSummary summary, KeyTuple last_key);
  /// The next part of at least `target` bytes, if one can be cut off now. Then upload it and call drop().
  std::optional<CutPart> cut(std::int64_t target) const;
  /// Everything that is left, at the partition's end; nullopt when there is nothing.
  std::optional<CutPart> rest() const;
  /// Forgets a part that is durable. REQUIRES: `part` is what cut() or rest() returned last.
  void drop(const CutPart& part);

 private:
  struct Border {
    std::size_t end;  ///< offset in pending_
    ChunkSummary summary;
    KeyTuple last_key;
  };
  CutPart take_until(std::size_t border_count) const;

  ByteBuffer pending_;
  std::deque<Border> borders_;
};

}  // namespace longshore
