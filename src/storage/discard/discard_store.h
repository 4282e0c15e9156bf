#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "storage/object_store.h"

namespace longshore {

/// Object storage for benchmarks that takes exports in and throws their bytes away, to show what an export costs
/// without a store.
///
/// Kept, and given back by get(): objects written by put() that hold at most 64 KiB (manifests), and of any size those
/// below `staging/` (the heads that assembly reads). Of all others, and of every completed upload, the size alone is
/// kept; get() of them fails with `object_discarded` (internal). Receipts are checked like everywhere, but an ETag only
/// counts the writes: no part is read. Thread-safe.
class DiscardStore final : public ObjectStore {
 public:
  static constexpr std::size_t kKeptBytes = std::size_t{64} * 1024;

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

  /// All bytes ever given to put() and upload_part().
  std::int64_t bytes_received() const;

 private:
  struct Object {
    ObjectInfo info;
    bool kept = false;
    std::string bytes;
  };
  struct Upload {
    std::string key;
    Timestamp begun;
    std::map<int, PartReceipt> parts;
  };
  // REQUIRES, of these: mutex_ is held.
  std::string next_etag();
  ObjectInfo store(Object object);

  mutable std::mutex mutex_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Upload> uploads_;
  std::uint64_t version_ = 0;
  std::int64_t received_ = 0;
};

}  // namespace longshore
