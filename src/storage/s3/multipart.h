#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "s3/answers.h"
#include "s3/client.h"
#include "storage/object_store.h"

namespace longshore::s3 {

// The steps of a multipart upload, one request each but for the paging. Besides the errors named, all have those of
// Client::expect(), and `upload_not_found` (external, final).

Result<UploadRef> begin_upload(Client& client, const std::string& key, const std::string& content_type);
/// `sha256`: in hexadecimal if it is known already, else empty.
Result<PartReceipt> upload_part(Client& client, const UploadRef& upload, int number, std::string_view bytes,
                                const std::string& sha256);
/// All parts that the store holds of an upload, by number.
Result<std::vector<PartInfo>> list_parts(Client& client, const UploadRef& upload);
/// Whether the store still knows the upload. One attempt; what cannot be found out is taken for yes.
bool is_there(Client& client, const UploadRef& upload);
/// What HEAD says of an object; nothing if there is none.
struct HeadAnswer {
  ObjectInfo info;
  std::string content_type;
  bool opaque_etag = false;  ///< encrypted in a way that makes ETags something else than MD5 sums
};
Result<std::optional<HeadAnswer>> head_object(Client& client, const std::string& key);
/// Part `number` becomes the bytes [offset, offset + length) of the object at the upload's key, which must still have
/// this ETag.
Result<PartReceipt> copy_part(Client& client, const UploadRef& upload, int number, const std::string& source_etag,
                              std::int64_t offset, std::int64_t length);

/// The headers that every new object gets: encryption, storage class, tags, content type.
Headers creation_headers(const S3Options& options, const std::string& content_type);
/// Content-MD5, if it is wanted.
void add_content_md5(Headers& headers, const S3Options& options, std::string_view bytes);
/// Without the quotes.
std::string etag_header(const HttpResponse& response);

}  // namespace longshore::s3
