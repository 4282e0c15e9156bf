#include "s3/completion.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "s3/md5.h"
#include "s3/recut.h"
#include "storage/multipart_rules.h"

namespace longshore::s3 {
namespace {

bool is_md5_hex(std::string_view text) {
  return text.size() == 32 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string from_hex(std::string_view hex) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(value(hex[i]) << 4 | value(hex[i + 1])));
  }
  return out;
}

/// `…-N`; nothing if an ETag is not of that form.
std::optional<std::string_view> part_count(std::string_view etag) {
  const auto dash = etag.find('-');
  if (dash == std::string_view::npos || !is_md5_hex(etag.substr(0, dash))) return std::nullopt;
  return etag.substr(dash + 1);
}

}  // namespace

std::optional<std::string> multipart_etag(std::span<const PartReceipt> parts) {
  std::string digests;
  for (const PartReceipt& part : parts) {
    if (!is_md5_hex(part.etag)) return std::nullopt;
    digests += from_hex(part.etag);
  }
  const auto digest = md5(digests);
  if (!digest) return std::nullopt;
  return fmt::format("{}-{}", to_hex(*digest), parts.size());
}

Completion::Completion(Client& client, const UploadRef& upload, std::span<const PartReceipt> parts)
    : client_(client), upload_(upload), parts_(parts) {}

Result<ObjectInfo> Completion::run() {
  if (upload_.id.empty()) return fail(upload_not_found(upload_));
  const std::string document = complete_document(parts_);
  Call call{.operation = "CompleteMultipartUpload",
            .method = "POST",
            .key = upload_.key,
            .query = {{"uploadId", upload_.id}}};
  call.headers = {{"Content-Type", "application/xml"}};
  call.body = document;
  call.patience = Patience::long_;
  call.body_may_refuse = true;
  // Ceph RGW answers with errors of its own (500) when there is no upload any more.
  bool gone = false;
  call.may_repeat = [&] { return !(gone = !is_there(client_, upload_)); };
  const Result<Answer> answer = client_.call(call);
  if (gone) return look_at_object(upload_not_found(upload_));
  if (!answer) return look_at_object(answer.error());
  if (answer->refusal) return refused(*answer->refusal, call);
  return accepted(answer->response);
}

Result<ObjectInfo> Completion::accepted(const HttpResponse& response) {
  const Result<std::string> etag = parse_complete(response.body);
  if (!etag) {
    return look_at_object(external_error(
        "store_unavailable", fmt::format("CompleteMultipartUpload {}: {}", upload_.key, etag.error().message)));
  }
  TRY(const std::optional<HeadAnswer> object, head_object(client_, upload_.key));
  // Ceph RGW says yes again to who asks again, even if the object has been replaced or removed since. Its first answer
  // has no ETag.
  const bool ours = object && object->info.size == total_bytes(parts_) && (etag->empty() || *etag == object->info.etag);
  if (ours) return object->info;
  return look_at_object(upload_not_found(upload_));
}

Result<ObjectInfo> Completion::refused(const Refusal& refusal, const Call& call) {
  if (refusal.code == "NoSuchUpload") return look_at_object(upload_not_found(upload_));
  if (is_retriable(refusal)) return look_at_object(client_.describe(refusal, call));
  const std::string what = fmt::format("CompleteMultipartUpload {}: the store refuses the parts ({} {})", upload_.key,
                                       refusal.code, refusal.message);
  if (refusal.code == "EntityTooSmall") return fail(internal_error("part_too_small", what));
  if (refusal.code == "InvalidPartOrder") return fail(internal_error("bad_part_number", what));
  if (refusal.code == "InvalidPart") return look_at_parts(refusal, call);
  return fail(client_.describe(refusal, call));
}

Result<ObjectInfo> Completion::look_at_parts(const Refusal& refusal, const Call& call) {
  TRY(const std::vector<PartInfo> listed, list_parts(client_, upload_));
  for (const PartReceipt& receipt : parts_) {
    const auto found = std::ranges::find(listed, receipt.number, &PartInfo::number);
    if (found == listed.end()) return fail(part_mismatch(upload_, receipt, "the store has no part of that number"));
    if (found->etag != receipt.etag || found->size != receipt.bytes) {
      return fail(part_mismatch(upload_, receipt,
                                fmt::format("the store's has {} bytes and ETag {}", found->size, found->etag)));
    }
  }
  if (listed.size() == parts_.size()) {
    return fail(internal_error("part_mismatch", client_.describe(refusal, call).message));
  }
  return Recut(client_, upload_, parts_).begin(listed);
}

Result<ObjectInfo> Completion::look_at_object(Error otherwise) {
  TRY(const std::optional<HeadAnswer> object, head_object(client_, upload_.key));
  if (!object) return fail(std::move(otherwise));
  if (object->info.size == total_bytes(parts_) && made_of_these(*object)) return object->info;
  // Perhaps an earlier attempt ended between completing and cutting.
  const auto count = part_count(object->info.etag);
  if (count && *count != fmt::to_string(parts_.size()) && object->info.size > total_bytes(parts_)) {
    TRY(std::optional<ObjectInfo> cut, Recut(client_, upload_, parts_).resume(*object));
    if (cut) return *std::move(cut);
  }
  return fail(std::move(otherwise));
}

bool Completion::made_of_these(const HeadAnswer& object) const {
  const auto count = part_count(object.info.etag);
  // An MD5 sum alone is that of a plain PUT; of any other form nothing is known.
  if (!count) return !is_md5_hex(object.info.etag);
  if (*count != fmt::to_string(parts_.size())) return false;
  const auto expected = multipart_etag(parts_);
  return object.opaque_etag || !expected || *expected == object.info.etag;
}

}  // namespace longshore::s3
