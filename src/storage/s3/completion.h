#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "s3/multipart.h"
#include "storage/object_store.h"

namespace longshore::s3 {

/// The ETag of the object that these parts make where ETags are MD5 sums: MD5 of the parts' MD5s, a dash, their number.
/// Nothing if their ETags are not such sums.
std::optional<std::string> multipart_etag(std::span<const PartReceipt> parts);

/// Turns an upload into an object, safely to be repeated: CompleteMultipartUpload may have worked although its answer
/// was an error, was lost, or says that there is no such upload (any more). So whatever it says, the object itself is
/// looked at: size, and ETag as far as it tells.
///
/// On stores that insist on every part (Ceph RGW: InvalidPart while the upload holds a part that is not named), parts
/// left by a writer that was thought dead are cut out afterwards, see recut.h.
class Completion {
 public:
  /// `client`, `upload` and `parts` must outlive this. REQUIRES: check_receipts(parts) passed.
  Completion(Client& client, const UploadRef& upload, std::span<const PartReceipt> parts);
  Result<ObjectInfo> run();

 private:
  Result<ObjectInfo> accepted(const HttpResponse& response);
  Result<ObjectInfo> refused(const Refusal& refusal, const Call& call);
  Result<ObjectInfo> look_at_parts(const Refusal& refusal, const Call& call);
  Result<ObjectInfo> look_at_object(Error otherwise);
  bool made_of_these(const HeadAnswer& object) const;

  Client& client_;
  const UploadRef& upload_;
  std::span<const PartReceipt> parts_;
};

}  // namespace longshore::s3
