#include "storage/memory/memory_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "storage/multipart_rules.h"
#include "storage/object_key.h"

namespace longshore {

MemoryStore::Content MemoryStore::object_content(const std::string&, std::string_view bytes) {
  return {std::ssize(bytes), true, std::string(bytes), {}};
}

MemoryStore::Content MemoryStore::part_content(std::string_view bytes) {
  return {std::ssize(bytes), true, std::string(bytes), part_etag(bytes)};
}

ObjectInfo MemoryStore::store(const std::string& key, Content content) {
  ObjectInfo info{key, content.size, fmt::format("{:x}-{:x}", ++version_, content.size), SystemClock{}.now()};
  objects_.insert_or_assign(key, Object{std::move(content), info});
  return info;
}

Result<ObjectInfo> MemoryStore::put(const std::string& key, std::string_view bytes, const ObjectOptions&) {
  CHECK_OK(check_object_key(key));
  Content content = object_content(key, bytes);
  const std::lock_guard lock(mutex_);
  return store(key, std::move(content));
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
  const Content& content = found->second.content;
  if (!content.kept) {
    return fail(internal_error("object_discarded",
                               fmt::format("the bytes of {} were thrown away: this store is for benchmarks", key)));
  }
  const std::string_view bytes = content.bytes;
  if (offset < content.size) {
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
  Content content = part_content(bytes);
  PartReceipt receipt{number, content.etag, content.size};
  const std::lock_guard lock(mutex_);
  Upload* found = find_upload(upload);
  if (found == nullptr) return fail(upload_not_found(upload));
  found->parts.insert_or_assign(number, std::move(content));
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
  Content whole{total_bytes(parts), true, {}, {}};
  for (const PartReceipt& receipt : parts) {
    const auto part = found->parts.find(receipt.number);
    if (part == found->parts.end()) return fail(part_mismatch(upload, receipt, "there is no such part"));
    const Content& content = part->second;
    if (content.etag != receipt.etag || content.size != receipt.bytes) {
      return fail(part_mismatch(upload, receipt, fmt::format("there are {} with ETag {}", content.size, content.etag)));
    }
    whole.kept = whole.kept && content.kept;
    whole.bytes += content.bytes;
  }
  if (!whole.kept) whole.bytes.clear();
  auto object = store(upload.key, std::move(whole));
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
