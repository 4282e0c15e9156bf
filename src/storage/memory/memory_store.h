#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "storage/object_store.h"

namespace longshore {

/// Object storage in this process's memory, for tests: the rules of S3, no disk. Thread-safe.
class MemoryStore : public ObjectStore {
 public:
  Result<ObjectInfo> put(const std::string& key, std::string_view bytes, const ObjectOptions& options) override;
  Status get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) override;
  Result<ObjectInfo> head(const std::string& key) override;
  Status remove(const std::string& key) override;
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& after, int limit) override;
  Result<UploadRef> begin_upload(const std::string& key, const ObjectOptions& options) override;
  Result<PartReceipt> upload_part(const UploadRef& upload, int number, std::string_view bytes) override;
  Result<ObjectInfo> complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) override;
  Status abort_upload(const UploadRef& upload) override;
  Result<std::vector<UploadInfo>> list_uploads(const std::string& prefix) override;
  Status ping() override;

 protected:
  /// What is held of an object or a part.
  struct Content {
    std::int64_t size = 0;
    bool kept = false;
    std::string bytes;  ///< empty unless kept
    std::string etag;   ///< of a part
  };
  /// What to hold of what is put. Called without any lock.
  virtual Content object_content(const std::string& key, std::string_view bytes);
  /// What to hold of a part, with its ETag; an object is kept if all of its parts are. Called without any lock.
  virtual Content part_content(std::string_view bytes);

 private:
  struct Object {
    Content content;
    ObjectInfo info;
  };
  struct Upload {
    std::string key;
    Timestamp begun;
    std::map<int, Content> parts;
  };
  // REQUIRES, of all of these: mutex_ is held.
  Upload* find_upload(const UploadRef& upload);
  ObjectInfo store(const std::string& key, Content content);

  std::mutex mutex_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Upload> uploads_;
  std::uint64_t version_ = 0;  ///< counts writes, for ETags
};

}  // namespace longshore
