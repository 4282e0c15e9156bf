#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "s3/client.h"
#include "s3/options.h"
#include "storage/object_store.h"

namespace longshore {

/// Object storage in a bucket of S3, or of a store that speaks S3 (Amazon S3 API Reference). Thread-safe: every call is
/// requests of its own on connections that are kept open.
///
/// Each call tries again by itself (S3RetryOptions) on errors that pass: 5xx, 429, SlowDown, time-outs, broken
/// connections. What it returns in the end is of the ObjectStore contract: `store_unavailable` (retriable), among
/// it unreachable hosts, TLS and clock errors; `store_full` (retriable); `store_denied` (final): missing permissions,
/// wrong keys, no such bucket, another region. Messages say what to do and what S3 itself said.
///
/// Objects under the bucket's prefix whose keys no store of ours could hold are not listed.
class S3Store final : public ObjectStore {
 public:
  /// Does no I/O: whether the bucket is there, ping() says. `clock` must outlive this. `stop` makes calls under way
  /// fail within about a second (`store_unavailable`), so that a process can end while the store hangs. Errors:
  /// `bad_s3_option` (user).
  static Result<std::unique_ptr<S3Store>> make(S3Options options, Clock& clock, std::stop_token stop = {});
  /// With a client that others use, too (links).
  explicit S3Store(std::shared_ptr<s3::Client> client);

  Result<ObjectInfo> put(const std::string& key, std::string_view bytes, const ObjectOptions& options) override;
  Status get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) override;
  Result<ObjectInfo> head(const std::string& key) override;
  Status remove(const std::string& key) override;
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& after, int limit) override;
  Result<UploadRef> begin_upload(const std::string& key, const ObjectOptions& options) override;
  Result<PartReceipt> upload_part(const UploadRef& upload, int number, std::string_view bytes) override;
  Result<PartReceipt> upload_hashed_part(const UploadRef& upload, int number, std::string_view bytes,
                                         const std::string& sha256) override;
  Result<ObjectInfo> complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) override;
  Status abort_upload(const UploadRef& upload) override;
  Result<std::vector<UploadInfo>> list_uploads(const std::string& prefix) override;
  /// Two requests, one attempt each: a part for an upload that does not exist, which shows that the credentials may
  /// write and leaves nothing behind; and a listing of one key, without whose permission S3 says 403 instead of 404 for
  /// what is not there.
  Status ping() override;

  const std::shared_ptr<s3::Client>& client() const { return client_; }

 private:
  Status probe(const s3::Call& call) const;

  std::shared_ptr<s3::Client> client_;
};

}  // namespace longshore
