#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/memory/memory_store.h"

namespace longshore {

/// Object storage for benchmarks that takes exports in and throws their bytes away, to show what an export costs
/// without a store.
///
/// Kept, in this process's memory, and given back by get(): objects written by put() that hold at most 64 KiB
/// (manifests), and of any size those below `staging/` (the heads that assembly reads), so a process that exports to
/// this store takes as much more memory as one head for each partition. Of all others, and of every completed upload,
/// the size alone is kept; get() of them fails with `object_discarded` (internal). Receipts are checked like
/// everywhere, but an ETag only counts the writes: no part is read. Thread-safe.
class DiscardStore final : public MemoryStore {
 public:
  static constexpr std::size_t kKeptBytes = std::size_t{64} * 1024;

  /// All bytes ever given to put() and upload_part().
  std::int64_t bytes_received() const { return received_; }

 private:
  Content object_content(const std::string& key, std::string_view bytes) override;
  Content part_content(std::string_view bytes) override;

  std::atomic<std::uint64_t> parts_ = 0;
  std::atomic<std::int64_t> received_ = 0;
};

}  // namespace longshore
