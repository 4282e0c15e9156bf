#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "storage/local/object_tree.h"
#include "storage/local/upload_directory.h"

namespace longshore {

struct LocalStoreOptions {
  /// While parts are assembled, those whose bytes are durable in the assembly are removed after each of so many bytes.
  /// Completing an upload thus needs no more than this much space beyond what the parts take.
  std::int64_t release_window = std::int64_t{128} * 1024 * 1024;
  /// Called between steps whose effects are seen by others or outlive the process, with the step's name. Tests end the
  /// process there. May be empty; must be thread-safe.
  std::function<void(std::string_view step)> on_step = nullptr;
};

/// Makes the object of an upload from its parts. REQUIRES: the caller holds the upload's lock.
///
/// The bytes are copied once, part by part, into the file `assembly` in the upload's directory (within the kernel, or
/// shared where the file system can), and the disk starts on each part while the next is copied. Parts lie at any
/// offset of the object, because heads and last parts have any length, so on most file systems they cannot be put there
/// without a copy; putting them in place when they are uploaded would need sizes that are known only at the end, and
/// would let a zombie write into the part of another.
///
/// A crash at any point leaves the upload completable. Before the first part is removed, the list of parts is recorded
/// in `plan`; a part is removed once everything up to its end is durable in `assembly`. So each part of a plan is
/// either still a file, or within the assembly at its place in the plan. To go on, the assembly is cut to the end of
/// the last part that is no longer a file, and copying continues from there. Should the upload now be completed with
/// another list than the plan's, the missing parts are copied out of the old assembly into a second one, and nothing is
/// removed before the end.
class Assembly {
 public:
  Assembly(const UploadDirectory& upload, const ObjectTree& objects, const LocalStoreOptions& options);
  /// REQUIRES: check_receipts() accepts `parts`. Errors: `part_mismatch`, `upload_not_found` (aborted meanwhile, or the
  /// object was published before and the upload is only not cleared away), and those of the file system.
  Result<ObjectInfo> run(std::span<const PartReceipt> parts);

 private:
  /// Where the bytes of a part are now.
  struct Source {
    bool is_file = false;     ///< else in the old assembly
    std::int64_t offset = 0;  ///< there
  };
  Status locate(std::span<const PartReceipt> parts);
  Result<Source> locate_in_plan(std::span<const PartReceipt> parts, const PartReceipt& part,
                                FileDescriptor& old_assembly, std::int64_t& old_size) const;
  Status open_target(std::span<const PartReceipt> parts);
  Result<ObjectInfo> copy_and_publish(std::span<const PartReceipt> parts);
  Status copy_part(std::size_t index, const PartReceipt& part);
  Status release(std::span<const PartReceipt> parts, std::size_t end);
  Result<ObjectInfo> publish(std::int64_t size);
  void step(std::string_view name) const;

  const UploadDirectory& upload_;
  const ObjectTree& objects_;
  const LocalStoreOptions& options_;

  std::vector<PartReceipt> plan_;  ///< as recorded; empty if none
  bool plan_is_ours_ = false;
  std::vector<Source> sources_;
  FileDescriptor old_assembly_;  ///< to copy from, when the plan is of another list
  FileDescriptor target_;
  std::string target_name_;
  std::size_t next_ = 0;      ///< index of the first part that is not yet copied
  std::size_t released_ = 0;  ///< index of the first part whose file may still be there
  std::int64_t offset_ = 0;   ///< bytes copied
  std::int64_t durable_ = 0;  ///< of which are durable
  bool may_release_ = true;
};

}  // namespace longshore
