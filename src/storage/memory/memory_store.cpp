#include "storage/memory/memory_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "storage/multipart_rules.h"
#include "storage/object_key.h"

namespace longshore {

Result<ObjectInfo> MemoryStore::store(const std::string& key, std::string bytes) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  ObjectInfo info{key, size, fmt::format("{:x}-{:x}", ++version_, size), SystemClock{}.now()};
  objects_.insert_or_assign(key, Object{std::move(bytes), info});
  return info;
}

Result<ObjectInfo> MemoryStore::put(const std::string& key, std::string_view bytes, const ObjectOptions&) {
  CHECK_OK(check_object_key(key));
  const std::lock_guard lock(mutex_);
  return store(key, std::string(bytes));
}

Status MemoryStore::get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) {
  CHECK_OK(check_object_key(key));
  if (offset < 0 || length < 0) {
    return fail(
        internal_error("bad_range", fmt::format("cannot read {} bytes from offset {} of {}", length, offset, key)));
  }
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return fail(object_not_found(key));
  const std::string_view bytes = found->second.bytes;
  if (offset < found->second.info.size) {
    out.append(bytes.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length)));
  }
  return {};
}

Result<ObjectInfo> MemoryStore::head(const std::string& key) {
  CHECK_OK(check_object_key(key));
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return fail(object_not_found(key));
  return found->second.info;
}

Status MemoryStore::remove(const std::string& key) {
  CHECK_OK(check_object_key(key));
  const std::lock_guard lock(mutex_);
  objects_.erase(key);
  return {};
}

Result<std::vector<ObjectInfo>> MemoryStore::list(const std::string& prefix, const std::string& after, int limit) {
  CHECK_OK(check_key_prefix(prefix));
  const std::lock_guard lock(mutex_);
  std::vector<ObjectInfo> found;
  auto at = std::max(after, prefix) == after ? objects_.upper_bound(after) : objects_.lower_bound(prefix);
  for (; at != objects_.end() && at->first.starts_with(prefix) && std::ssize(found) < limit; ++at) {
    found.push_back(at->second.info);
  }
  return found;
}

Result<UploadRef> MemoryStore::begin_upload(const std::string& key, const ObjectOptions&) {
  CHECK_OK(check_object_key(key));
  const Timestamp now = SystemClock{}.now();
  UploadRef upload{key, uuid_v7(now)};
  const std::lock_guard lock(mutex_);
  uploads_.emplace(upload.id, Upload{key, now, {}});
  return upload;
}

MemoryStore::Upload* MemoryStore::find_upload(const UploadRef& upload) {
  const auto found = uploads_.find(upload.id);
  return found != uploads_.end() && found->second.key == upload.key ? &found->second : nullptr;
}

Result<PartReceipt> MemoryStore::upload_part(const UploadRef& upload, int number, std::string_view bytes) {
  CHECK_OK(check_part_number(number));
  PartReceipt receipt{number, part_etag(bytes), static_cast<std::int64_t>(bytes.size())};
  const std::lock_guard lock(mutex_);
  Upload* found = find_upload(upload);
  if (found == nullptr) return fail(upload_not_found(upload));
  found->parts.insert_or_assign(number, std::string(bytes));
  return receipt;
}

Result<ObjectInfo> MemoryStore::complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) {
  CHECK_OK(check_object_key(upload.key));
  CHECK_OK(check_receipts(parts));
  const std::lock_guard lock(mutex_);
  const Upload* found = find_upload(upload);
  if (found == nullptr) {
    const auto object = objects_.find(upload.key);
    if (object != objects_.end() && object->second.info.size == total_bytes(parts)) return object->second.info;
    return fail(upload_not_found(upload));
  }
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(total_bytes(parts)));
  for (const PartReceipt& receipt : parts) {
    const auto part = found->parts.find(receipt.number);
    if (part == found->parts.end()) return fail(part_mismatch(upload, receipt, "there is no such part"));
    const std::string etag = part_etag(part->second);
    if (etag != receipt.etag || std::ssize(part->second) != receipt.bytes) {
      return fail(part_mismatch(upload, receipt, fmt::format("there are {} with ETag {}", part->second.size(), etag)));
    }
    bytes += part->second;
  }
  auto object = store(upload.key, std::move(bytes));
  uploads_.erase(upload.id);
  return object;
}

Status MemoryStore::abort_upload(const UploadRef& upload) {
  const std::lock_guard lock(mutex_);
  if (find_upload(upload) != nullptr) uploads_.erase(upload.id);
  return {};
}

Result<std::vector<UploadInfo>> MemoryStore::list_uploads(const std::string& prefix) {
  CHECK_OK(check_key_prefix(prefix));
  const std::lock_guard lock(mutex_);
  std::vector<UploadInfo> found;
  for (const auto& [id, upload] : uploads_) {
    if (upload.key.starts_with(prefix)) found.push_back({{upload.key, id}, upload.begun});
  }
  return found;
}

Status MemoryStore::ping() {
  return {};
}

}  // namespace longshore
