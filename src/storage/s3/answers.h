#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "s3/credentials.h"
#include "storage/object_store.h"

namespace longshore::s3 {

// What S3 says in XML (Amazon S3 API Reference, the response syntax of each operation). Documents are parsed without
// DTDs, external entities or validation; names are matched without their namespace prefix. Errors of all of these:
// `store_unavailable` (external, retriable): not what S3 says, e.g. cut off or from something that is no S3 store.

/// `<Error>`: the body of most answers that are no success, and of some that pretend to be one.
struct ErrorAnswer {
  std::string code;
  std::string message;
  std::string region;    ///< where the bucket is, if it is elsewhere
  std::string endpoint;  ///< where to ask instead
};
/// Nothing if the document is not an error, or no XML at all.
std::optional<ErrorAnswer> parse_error(std::string_view xml);

struct ObjectPage {
  std::vector<ObjectInfo> objects;  ///< keys decoded, with the store's prefix
  bool truncated = false;
  std::string next;  ///< continuation token
};
/// ListObjectsV2 with encoding-type=url.
Result<ObjectPage> parse_object_page(std::string_view xml);

struct UploadPage {
  std::vector<UploadInfo> uploads;
  bool truncated = false;
  std::string next_key;
  std::string next_id;
};
/// ListMultipartUploads with encoding-type=url.
Result<UploadPage> parse_upload_page(std::string_view xml);

struct PartInfo {
  int number = 0;
  std::int64_t size = 0;
  std::string etag;
};
struct PartPage {
  std::vector<PartInfo> parts;
  bool truncated = false;
  int next = 0;  ///< the last number of this page
};
Result<PartPage> parse_part_page(std::string_view xml);

/// The upload's id from CreateMultipartUpload.
Result<std::string> parse_upload_id(std::string_view xml);
/// The ETag from CompleteMultipartUpload or UploadPartCopy (without quotes; may be empty: Ceph RGW).
Result<std::string> parse_complete(std::string_view xml);
Result<std::string> parse_copied_part(std::string_view xml);
/// AssumeRoleWithWebIdentity (AWS Security Token Service API Reference).
Result<Credentials> parse_assumed_role(std::string_view xml);

/// The body of CompleteMultipartUpload.
std::string complete_document(std::span<const PartReceipt> parts);

}  // namespace longshore::s3
