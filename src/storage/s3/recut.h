#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "s3/multipart.h"
#include "storage/object_store.h"

namespace longshore::s3 {

/// Makes the object of an upload that holds parts nobody wants, on stores that complete an upload only with all of its
/// parts (Ceph RGW). S3 knows no way to remove or read a single part. So:
///
///   1. One unwanted part is overwritten with a *marker*: 5 MiB that begin with what is what. Further unwanted
///      parts that are too small to stand in the middle are overwritten with 5 MiB of zeros.
///   2. The upload is completed with everything. The key now holds an object of the wrong bytes, which says so itself.
///   3. The wanted ranges of it are copied, inside the store, part by part into a second upload, which is completed
///      and so replaces it.
///
/// Between 2 and 3 the key has wrong bytes. Nobody is given a link to them: the export has not SUCCEEDED; and a process
/// that dies there finds the marker when it completes again, and goes on with 3. Each part is copied by itself, so
/// the object has the very ETag that it would have had.
///
/// Not possible, and refused as `part_mismatch`: a last wanted part under 5 MiB that is followed by an unwanted one.
/// Copying every byte inside the store is slow; it happens when a worker died, or was thought dead, after a part of its
/// was stored and before that was recorded: its successor uploads those rows under another number.
class Recut {
 public:
  /// `client`, `upload` and `parts` must outlive this.
  Recut(Client& client, const UploadRef& upload, std::span<const PartReceipt> parts);

  /// Steps 1 to 3. REQUIRES: `listed` are all parts of the upload, and more than `parts`, which are among them.
  Result<ObjectInfo> begin(const std::vector<PartInfo>& listed);
  /// Step 3, if `object`, which is at the key, is what step 2 made of this upload; else nothing.
  Result<std::optional<ObjectInfo>> resume(const HeadAnswer& object);

 private:
  struct Piece {
    std::int64_t size = 0;
    bool wanted = false;
  };
  Result<ObjectInfo> copy_wanted(const HeadAnswer& whole, const std::vector<Piece>& pieces);
  std::string marker(const std::vector<Piece>& pieces) const;
  std::optional<std::vector<Piece>> read_marker(std::string_view text) const;

  Client& client_;
  const UploadRef& upload_;
  std::span<const PartReceipt> parts_;
};

}  // namespace longshore::s3
