#include "s3/multipart.h"

#include <fmt/format.h>

#include <charconv>

#include "base/digest.h"
#include "s3/encryption.h"
#include "s3/md5.h"
#include "storage/multipart_rules.h"
#include "storage/range.h"

namespace longshore::s3 {
namespace {

/// A call on an upload. An empty id would make it one on the object itself, so it is never sent.
Result<HttpResponse> call_upload(Client& client, const UploadRef& upload, const Call& call) {
  if (upload.id.empty()) return fail(upload_not_found(upload));
  TRY(Answer answer, client.call(call));
  if (!answer.refusal) return std::move(answer.response);
  // Ceph RGW says NoSuchKey to ListParts.
  const std::string& code = answer.refusal->code;
  if (code == "NoSuchUpload" || (code == "NoSuchKey" && call.method == "GET")) return fail(upload_not_found(upload));
  return fail(client.describe(*answer.refusal, call));
}

std::string tag_header(const S3Options& options) {
  return canonical_query(options.tags);
}

}  // namespace

std::string etag_header(const HttpResponse& response) {
  std::string_view etag = response.header("etag");
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

Headers creation_headers(const S3Options& options, const std::string& content_type) {
  Headers headers = encryption_headers(options.encryption, EncryptionPoint::creation);
  headers.emplace_back("Content-Type", content_type);
  if (!options.storage_class.empty()) headers.emplace_back("x-amz-storage-class", options.storage_class);
  if (!options.tags.empty()) headers.emplace_back("x-amz-tagging", tag_header(options));
  return headers;
}

void add_content_md5(Headers& headers, const S3Options& options, std::string_view bytes) {
  if (!options.content_md5) return;
  if (const auto digest = md5(bytes)) headers.emplace_back("Content-MD5", base64_encode(*digest));
}

Result<UploadRef> begin_upload(Client& client, const std::string& key, const std::string& content_type) {
  Call call{.operation = "CreateMultipartUpload", .method = "POST", .key = key, .query = {{"uploads", ""}}};
  call.headers = creation_headers(client.options(), content_type);
  TRY(const HttpResponse response, client.expect(call));
  TRY(std::string id, parse_upload_id(response.body));
  return UploadRef{key, std::move(id)};
}

Result<PartReceipt> upload_part(Client& client, const UploadRef& upload, int number, std::string_view bytes,
                                const std::string& sha256) {
  Call call{.operation = "UploadPart",
            .method = "PUT",
            .key = upload.key,
            .query = {{"partNumber", fmt::to_string(number)}, {"uploadId", upload.id}}};
  call.headers = encryption_headers(client.options().encryption, EncryptionPoint::access);
  add_content_md5(call.headers, client.options(), bytes);
  call.body = bytes;
  call.body_sha256 = sha256;
  TRY(const HttpResponse response, call_upload(client, upload, call));
  std::string etag = etag_header(response);
  if (etag.empty()) {
    return fail(
        external_error("store_unavailable", fmt::format("UploadPart {}: the store's answer has no ETag", upload.key)));
  }
  return PartReceipt{number, std::move(etag), std::ssize(bytes)};
}

Result<std::vector<PartInfo>> list_parts(Client& client, const UploadRef& upload) {
  std::vector<PartInfo> parts;
  for (int after = 0;;) {
    Call call{.operation = "ListParts",
              .method = "GET",
              .key = upload.key,
              .query = {{"uploadId", upload.id}, {"max-parts", fmt::to_string(client.options().page)}}};
    if (after > 0) call.query.emplace_back("part-number-marker", fmt::to_string(after));
    TRY(const HttpResponse response, call_upload(client, upload, call));
    TRY(PartPage page, parse_part_page(response.body));
    // A store that does not move on would keep us here for ever.
    if (page.truncated && page.next <= after) {
      return fail(external_error("store_unavailable",
                                 fmt::format("ListParts {} does not get beyond part {}", upload.key, after)));
    }
    parts.insert(parts.end(), page.parts.begin(), page.parts.end());
    if (!page.truncated) return parts;
    after = page.next;
  }
}

bool is_there(Client& client, const UploadRef& upload) {
  const Call call{.operation = "ListParts",
                  .method = "GET",
                  .key = upload.key,
                  .query = {{"uploadId", upload.id}, {"max-parts", "1"}},
                  .patience = Patience::none};
  const auto response = call_upload(client, upload, call);
  return response || response.error().code != "upload_not_found";
}

Result<std::optional<HeadAnswer>> head_object(Client& client, const std::string& key) {
  Call call{.operation = "HeadObject", .method = "HEAD", .key = key};
  call.headers = encryption_headers(client.options().encryption, EncryptionPoint::access);
  TRY(const Answer answer, client.call(call));
  if (answer.refusal) {
    if (answer.refusal->status == 404) return std::optional<HeadAnswer>();
    // The answer to HEAD has no body, so it does not say what is wrong; that to GET does.
    ByteBuffer one;
    Call get{.operation = "HeadObject", .method = "GET", .key = key};
    get.headers = call.headers;
    get.headers.emplace_back("Range", "bytes=0-0");
    get.sink = &one;
    get.max_sink = 1;
    get.patience = Patience::none;
    const auto reason = client.call(get);
    const bool told = reason && reason->refusal && reason->refusal->status != 404 && reason->refusal->status != 416;
    return fail(client.describe(told ? *reason->refusal : *answer.refusal, call));
  }
  const HttpResponse& response = answer.response;
  HeadAnswer out;
  const std::string_view length = response.header("content-length");
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), out.info.size);
  const auto modified = parse_http_date(response.header("last-modified"));
  if (error != std::errc{} || end != length.data() + length.size() || !modified) {
    return fail(
        external_error("store_unavailable", fmt::format("HeadObject {}: the store's answer lacks Content-Length or "
                                                        "Last-Modified",
                                                        key)));
  }
  out.info.key = key;
  out.info.etag = etag_header(response);
  out.info.modified = *modified;
  out.content_type = response.header("content-type");
  out.opaque_etag = response.header("x-amz-server-side-encryption").starts_with("aws:kms") ||
                    !response.header("x-amz-server-side-encryption-customer-algorithm").empty();
  return std::optional(std::move(out));
}

Result<PartReceipt> copy_part(Client& client, const UploadRef& upload, int number, const std::string& source_etag,
                              std::int64_t offset, std::int64_t length) {
  Call call{.operation = "UploadPartCopy",
            .method = "PUT",
            .key = upload.key,
            .query = {{"partNumber", fmt::to_string(number)}, {"uploadId", upload.id}}};
  call.headers = encryption_headers(client.options().encryption, EncryptionPoint::copy);
  call.headers.emplace_back("x-amz-copy-source", fmt::format("/{}/{}", client.options().bucket,
                                                             uri_encode(client.full_key(upload.key), Slash::keep)));
  call.headers.emplace_back("x-amz-copy-source-range", fmt::format("bytes={}-{}", offset, offset + length - 1));
  call.headers.emplace_back("x-amz-copy-source-if-match", source_etag);
  call.patience = Patience::long_;
  call.body_may_refuse = true;
  TRY(const HttpResponse response, call_upload(client, upload, call));
  TRY(std::string etag, parse_copied_part(response.body));
  return PartReceipt{number, std::move(etag), length};
}

}  // namespace longshore::s3
