#include "s3/s3_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "s3/answers.h"
#include "s3/completion.h"
#include "s3/encryption.h"
#include "s3/multipart.h"
#include "storage/multipart_rules.h"
#include "storage/object_key.h"
#include "storage/range.h"

namespace longshore {

using s3::Answer;
using s3::Call;
using s3::EncryptionPoint;
using s3::HttpResponse;

namespace {

/// The name of what does not exist, in probes.
constexpr const char* kProbe = "longshore-probe";

}  // namespace

Result<std::unique_ptr<S3Store>> S3Store::make(S3Options options, Clock& clock, std::stop_token stop) {
  s3::Surroundings surroundings;
  surroundings.stop = std::move(stop);
  TRY(std::shared_ptr<s3::Client> client, s3::Client::make(std::move(options), clock, std::move(surroundings)));
  return std::make_unique<S3Store>(std::move(client));
}

S3Store::S3Store(std::shared_ptr<s3::Client> client) : client_(std::move(client)) {}

Result<ObjectInfo> S3Store::put(const std::string& key, std::string_view bytes, const ObjectOptions& options) {
  CHECK_OK(check_object_key(key));
  Call call{.operation = "PutObject", .method = "PUT", .key = key};
  call.headers = s3::creation_headers(client_->options(), options.content_type);
  s3::add_content_md5(call.headers, client_->options(), bytes);
  call.body = bytes;
  TRY(const HttpResponse response, client_->expect(call));
  const auto date = parse_http_date(response.header("date"));
  return ObjectInfo{key, std::ssize(bytes), s3::etag_header(response), date.value_or(client_->clock().now())};
}

Status S3Store::get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) {
  CHECK_OK(check_object_key(key));
  if (length <= 0) {  // no range says that
    CHECK_OK(head(key));
    return {};
  }
  const std::int64_t last = offset > std::numeric_limits<std::int64_t>::max() - length
                                ? std::numeric_limits<std::int64_t>::max()
                                : offset + length - 1;
  Call call{.operation = "GetObject", .method = "GET", .key = key};
  call.headers = s3::encryption_headers(client_->options().encryption, EncryptionPoint::access);
  call.headers.emplace_back("Range", fmt::format("bytes={}-{}", offset, last));
  call.sink = &out;
  call.max_sink = static_cast<std::size_t>(length);
  const std::size_t before = out.size();
  TRY(const Answer answer, client_->call(call));
  if (!answer.refusal) {
    if (answer.response.status == 206 || offset == 0) return {};
    out.truncate(before);
    return fail(external_error("store_unavailable", fmt::format("GetObject {}: the store does not serve ranges", key)));
  }
  // Nothing there from `offset` on: empty objects have no first byte, either.
  if (answer.refusal->status == 416) return {};
  if (answer.refusal->code == "NoSuchKey") return fail(object_not_found(key));
  return fail(client_->describe(*answer.refusal, call));
}

Result<ObjectInfo> S3Store::head(const std::string& key) {
  CHECK_OK(check_object_key(key));
  TRY(std::optional<s3::HeadAnswer> found, s3::head_object(*client_, key));
  if (!found) return fail(object_not_found(key));
  return std::move(found->info);
}

Status S3Store::remove(const std::string& key) {
  CHECK_OK(check_object_key(key));
  const Call call{.operation = "DeleteObject", .method = "DELETE", .key = key};
  TRY(const Answer answer, client_->call(call));
  if (!answer.refusal || answer.refusal->code == "NoSuchKey") return {};
  return fail(client_->describe(*answer.refusal, call));
}

Result<std::vector<ObjectInfo>> S3Store::list(const std::string& prefix, const std::string& after, int limit) {
  CHECK_OK(check_key_prefix(prefix));
  std::vector<ObjectInfo> objects;
  std::string continuation;
  while (std::ssize(objects) < limit) {
    const auto wanted = static_cast<int>(limit - std::ssize(objects));
    Call call{.operation = "ListObjectsV2",
              .method = "GET",
              .query = {{"list-type", "2"},
                        {"encoding-type", "url"},
                        {"prefix", client_->full_key(prefix)},
                        {"max-keys", fmt::to_string(std::min(wanted, client_->options().page))}}};
    if (!continuation.empty()) {
      call.query.emplace_back("continuation-token", continuation);
    } else if (!after.empty()) {
      call.query.emplace_back("start-after", client_->full_key(after));
    }
    TRY(const HttpResponse response, client_->expect(call));
    TRY(s3::ObjectPage page, s3::parse_object_page(response.body));
    for (ObjectInfo& object : page.objects) {
      auto key = client_->own_key(object.key);
      if (!key || !check_object_key(*key) || *key <= after || std::ssize(objects) == limit) continue;
      object.key = *std::move(key);
      objects.push_back(std::move(object));
    }
    if (!page.truncated) break;
    if (page.next == continuation) {
      return fail(external_error("store_unavailable", "ListObjectsV2: the store gives the same page again and again"));
    }
    continuation = std::move(page.next);
  }
  return objects;
}

Result<UploadRef> S3Store::begin_upload(const std::string& key, const ObjectOptions& options) {
  CHECK_OK(check_object_key(key));
  return s3::begin_upload(*client_, key, options.content_type);
}

Result<PartReceipt> S3Store::upload_part(const UploadRef& upload, int number, std::string_view bytes) {
  return upload_hashed_part(upload, number, bytes, {});
}

Result<PartReceipt> S3Store::upload_hashed_part(const UploadRef& upload, int number, std::string_view bytes,
                                                const std::string& sha256) {
  CHECK_OK(check_object_key(upload.key));
  CHECK_OK(check_part_number(number));
  return s3::upload_part(*client_, upload, number, bytes, sha256);
}

Result<ObjectInfo> S3Store::complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) {
  CHECK_OK(check_object_key(upload.key));
  CHECK_OK(check_receipts(parts));
  return s3::Completion(*client_, upload, parts).run();
}

Status S3Store::abort_upload(const UploadRef& upload) {
  CHECK_OK(check_object_key(upload.key));
  // DELETE without an upload's id would delete the object.
  if (upload.id.empty()) return {};
  const Call call{
      .operation = "AbortMultipartUpload", .method = "DELETE", .key = upload.key, .query = {{"uploadId", upload.id}}};
  TRY(const Answer answer, client_->call(call));
  if (!answer.refusal || answer.refusal->code == "NoSuchUpload") return {};
  return fail(client_->describe(*answer.refusal, call));
}

Result<std::vector<UploadInfo>> S3Store::list_uploads(const std::string& prefix) {
  CHECK_OK(check_key_prefix(prefix));
  std::vector<UploadInfo> uploads;
  std::string key_marker;
  std::string id_marker;
  for (;;) {
    Call call{.operation = "ListMultipartUploads",
              .method = "GET",
              .query = {{"uploads", ""},
                        {"encoding-type", "url"},
                        {"prefix", client_->full_key(prefix)},
                        {"max-uploads", fmt::to_string(client_->options().page)}}};
    if (!key_marker.empty()) {
      call.query.emplace_back("key-marker", key_marker);
      call.query.emplace_back("upload-id-marker", id_marker);
    }
    TRY(const HttpResponse response, client_->expect(call));
    TRY(s3::UploadPage page, s3::parse_upload_page(response.body));
    for (UploadInfo& info : page.uploads) {
      auto key = client_->own_key(info.upload.key);
      if (!key || !check_object_key(*key)) continue;
      info.upload.key = *std::move(key);
      uploads.push_back(std::move(info));
    }
    if (!page.truncated) return uploads;
    if (page.next_key == key_marker && page.next_id == id_marker) {
      return fail(
          external_error("store_unavailable", "ListMultipartUploads: the store gives the same page again and again"));
    }
    key_marker = std::move(page.next_key);
    id_marker = std::move(page.next_id);
  }
}

// Nothing is left behind, and nothing is looked at but the permission: the upload and the object do not exist. Whether
// objects may be deleted cannot be asked without deleting one.
Status S3Store::ping() {
  Call write{.operation = "UploadPart (a probe)",
             .method = "PUT",
             .key = kProbe,
             .query = {{"partNumber", "1"}, {"uploadId", kProbe}},
             .patience = s3::Patience::none};
  write.headers = s3::encryption_headers(client_->options().encryption, EncryptionPoint::access);
  CHECK_OK(probe(write));
  CHECK_OK(probe({.operation = "ListObjectsV2 (a probe)",
                  .method = "GET",
                  .query = {{"list-type", "2"}, {"prefix", client_->full_key("")}, {"max-keys", "1"}},
                  .patience = s3::Patience::none}));
  Call read{.operation = "GetObject (a probe)", .method = "GET", .key = kProbe, .patience = s3::Patience::none};
  read.headers = write.headers;
  CHECK_OK(probe(read));
  return probe({.operation = "AbortMultipartUpload (a probe)",
                .method = "DELETE",
                .key = kProbe,
                .query = {{"uploadId", kProbe}},
                .patience = s3::Patience::none});
}

/// A refusal because the thing is not there means that one may ask for it.
Status S3Store::probe(const Call& call) const {
  TRY(const Answer answer, client_->call(call));
  if (!answer.refusal) return {};
  // Some stores find the id malformed before they look for it.
  static constexpr std::array<std::string_view, 3> kNotThere{"NoSuchUpload", "InvalidUploadId", "NoSuchKey"};
  if (std::ranges::find(kNotThere, answer.refusal->code) != kNotThere.end()) return {};
  return fail(client_->describe(*answer.refusal, call));
}

}  // namespace longshore
