#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "storage/local/file_descriptor.h"
#include "storage/local/segment.h"
#include "storage/object_store.h"

namespace longshore {

/// An object that is open for reading: it stays readable, and the same, if it is replaced or removed meanwhile.
///
/// Holds one or two descriptors whatever the object's size: of its directory, on which a shared lock keeps the segments
/// from being cleared away (see file::remove_unless_locked()), and of the segment read last. Who reads from the
/// beginning to the end opens each segment once. Where the file system has no locks, an object of segments that is
/// removed cannot be read on: `object_not_found`. Takes 16 bytes of memory for each segment. Thread-safe.
class ReadableObject {
 public:
  /// Bytes of the object that lie together in a file, for pread() or sendfile().
  struct Run {
    std::shared_ptr<const FileDescriptor> file;
    std::int64_t offset = 0;  ///< in the file
    std::int64_t length = 0;  ///< up to the end of the segment
  };

  /// An object that is a plain file.
  ReadableObject(ObjectInfo info, FileDescriptor file);
  /// One that is a directory of segments.
  ReadableObject(ObjectInfo info, FileDescriptor directory, std::span<const Segment> segments);

  const ObjectInfo& info() const { return info_; }
  /// Reads up to `length` bytes at `offset`; fewer only at the object's end. REQUIRES: neither is negative.
  /// Errors: those of run_at().
  Result<std::int64_t> read(char* into, std::int64_t length, std::int64_t offset) const;
  /// What begins at `offset`. REQUIRES: 0 <= offset < info().size. Errors: `object_not_found` if a segment has gone,
  /// `store_denied` if one is shorter than it was, `store_unavailable`.
  Result<Run> run_at(std::int64_t offset) const;
  /// Whether it was made of these parts.
  bool consists_of(std::span<const PartReceipt> parts) const;

 private:
  struct Piece {
    std::int64_t begin = 0;  ///< in the object
    std::int32_t number = 0;
    std::uint32_t crc32c = 0;
  };
  std::int64_t end_of(std::size_t piece) const;
  Result<std::shared_ptr<const FileDescriptor>> open(std::size_t piece) const;

  ObjectInfo info_;
  FileDescriptor directory_;  ///< none: the object is a plain file
  std::vector<Piece> pieces_;

  mutable std::mutex mutex_;
  mutable std::size_t open_piece_ = 0;
  mutable std::shared_ptr<const FileDescriptor> open_file_;  ///< of that piece; may be empty
};

}  // namespace longshore
