#include "storage/discard/discard_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "storage/multipart_rules.h"
#include "storage/object_key.h"

namespace longshore {

std::string DiscardStore::next_etag() {
  return fmt::format("{:x}", ++version_);
}

ObjectInfo DiscardStore::store(Object object) {
  object.info.etag = next_etag();
  object.info.modified = SystemClock{}.now();
  ObjectInfo info = object.info;
  objects_.insert_or_assign(info.key, std::move(object));
  return info;
}

Result<ObjectInfo> DiscardStore::put(const std::string& key, std::string_view bytes, const ObjectOptions&) {
  CHECK_OK(check_object_key(key));
  Object object;
  object.info.key = key;
  object.info.size = static_cast<std::int64_t>(bytes.size());
  object.kept = bytes.size() <= kKeptBytes || key.starts_with("staging/");
  if (object.kept) object.bytes = bytes;
  const std::lock_guard lock(mutex_);
  received_ += object.info.size;
  return store(std::move(object));
}

Status DiscardStore::get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) {
  CHECK_OK(check_object_key(key));
  if (offset < 0 || length < 0) {
    return fail(
        internal_error("bad_range", fmt::format("cannot read {} bytes from offset {} of {}", length, offset, key)));
  }
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return fail(object_not_found(key));
  const Object& object = found->second;
  if (!object.kept) {
    return fail(internal_error("object_discarded",
                               fmt::format("the bytes of {} were thrown away: this store is for benchmarks", key)));
  }
  if (offset < object.info.size) {
    out.append(
        std::string_view(object.bytes).substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length)));
  }
  return {};
}

Result<ObjectInfo> DiscardStore::head(const std::string& key) {
  CHECK_OK(check_object_key(key));
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return fail(object_not_found(key));
  return found->second.info;
}

Status DiscardStore::remove(const std::string& key) {
  CHECK_OK(check_object_key(key));
  const std::lock_guard lock(mutex_);
  objects_.erase(key);
  return {};
}

Result<std::vector<ObjectInfo>> DiscardStore::list(const std::string& prefix, const std::string& after, int limit) {
  CHECK_OK(check_key_prefix(prefix));
  const std::lock_guard lock(mutex_);
  std::vector<ObjectInfo> found;
  for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at) {
    if (std::ssize(found) >= limit) break;
    if (at->first > after) found.push_back(at->second.info);
  }
  return found;
}

Result<UploadRef> DiscardStore::begin_upload(const std::string& key, const ObjectOptions&) {
  CHECK_OK(check_object_key(key));
  const Timestamp now = SystemClock{}.now();
  UploadRef upload{key, uuid_v7(now)};
  const std::lock_guard lock(mutex_);
  uploads_.emplace(upload.id, Upload{key, now, {}});
  return upload;
}

Result<PartReceipt> DiscardStore::upload_part(const UploadRef& upload, int number, std::string_view bytes) {
  CHECK_OK(check_part_number(number));
  const std::lock_guard lock(mutex_);
  const auto found = uploads_.find(upload.id);
  if (found == uploads_.end()) return fail(upload_not_found(upload));
  PartReceipt receipt{number, next_etag(), static_cast<std::int64_t>(bytes.size())};
  received_ += receipt.bytes;
  found->second.parts.insert_or_assign(number, receipt);
  return receipt;
}

Result<ObjectInfo> DiscardStore::complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) {
  CHECK_OK(check_object_key(upload.key));
  CHECK_OK(check_receipts(parts));
  const std::lock_guard lock(mutex_);
  const auto found = uploads_.find(upload.id);
  if (found == uploads_.end()) {
    const auto object = objects_.find(upload.key);
    if (object != objects_.end() && object->second.info.size == total_bytes(parts)) return object->second.info;
    return fail(upload_not_found(upload));
  }
  for (const PartReceipt& receipt : parts) {
    const auto part = found->second.parts.find(receipt.number);
    if (part == found->second.parts.end()) return fail(part_mismatch(upload, receipt, "there is no such part"));
    if (part->second.etag != receipt.etag || part->second.bytes != receipt.bytes) {
      return fail(part_mismatch(upload, receipt,
                                fmt::format("there are {} with ETag {}", part->second.bytes, part->second.etag)));
    }
  }
  uploads_.erase(found);
  Object object;
  object.info.key = upload.key;
  object.info.size = total_bytes(parts);
  return store(std::move(object));
}

Status DiscardStore::abort_upload(const UploadRef& upload) {
  const std::lock_guard lock(mutex_);
  uploads_.erase(upload.id);
  return {};
}

Result<std::vector<UploadInfo>> DiscardStore::list_uploads(const std::string& prefix) {
  CHECK_OK(check_key_prefix(prefix));
  const std::lock_guard lock(mutex_);
  std::vector<UploadInfo> found;
  for (const auto& [id, upload] : uploads_) {
    if (upload.key.starts_with(prefix)) found.push_back({{upload.key, id}, upload.begun});
  }
  return found;
}

Status DiscardStore::ping() {
  return {};
}

std::int64_t DiscardStore::bytes_received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

}  // namespace longshore
