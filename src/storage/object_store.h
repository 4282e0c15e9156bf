#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/clock.h"
#include "base/result.h"

namespace longshore {

struct ObjectInfo {
  std::string key;
  std::int64_t size = 0;
  std::string etag;  ///< opaque, without quotes
  Timestamp modified;
};

/// What is said of an object when it is written.
struct ObjectOptions {
  std::string content_type = "application/octet-stream";
};

/// A multipart upload that has been begun.
struct UploadRef {
  std::string key;
  std::string id;
};

/// An uploaded part, as complete_upload() wants it back.
struct PartReceipt {
  int number = 0;    ///< 1 to 10,000; ascending, gaps allowed
  std::string etag;  ///< from upload_part()
  std::int64_t bytes = 0;
};

struct UploadInfo {
  UploadRef upload;
  Timestamp begun;
};

/// Object storage: whole objects by key, and multipart uploads whose parts become one object at once. Thread-safe.
///
/// Keys are relative paths of `[A-Za-z0-9._/=-]`, at most 512 bytes, without empty, `.` or `..` segments or one over
/// 255 bytes (error `bad_object_key`, user). Objects appear whole or not at all. Other errors: `object_not_found`
/// (external, final), `upload_not_found` (external, final), `store_full`, `store_unavailable` (external, retriable),
/// `store_denied` (external, final); of complete_upload, all internal: `no_parts`, `bad_part_number` (numbers outside 1
/// to 10,000 or not ascending), `part_too_small`, `part_mismatch` (no part of that number, ETag and size is there).
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Writes a whole object, replacing one of that key.
  virtual Result<ObjectInfo> put(const std::string& key, std::string_view bytes, const ObjectOptions& options) = 0;
  /// Appends `length` bytes from `offset` on to `out`; fewer at the object's end.
  virtual Status get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) = 0;
  virtual Result<ObjectInfo> head(const std::string& key) = 0;
  /// Removing what is not there is a success.
  virtual Status remove(const std::string& key) = 0;
  /// Objects whose key begins with `prefix`, in key order, after `after`, at most `limit`.
  virtual Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& after, int limit) = 0;

  virtual Result<UploadRef> begin_upload(const std::string& key, const ObjectOptions& options) = 0;
  /// Writing a number again replaces that part; whether the receipt of what was replaced still stands for it, or is
  /// refused as `part_mismatch`, is the store's affair. Parts but the last of an upload must hold at least 5 MiB when
  /// it is completed (error `part_too_small`, internal, from complete_upload).
  virtual Result<PartReceipt> upload_part(const UploadRef& upload, int number, std::string_view bytes) = 0;
  /// The same for who has computed the SHA-256 of the bytes (hexadecimal) anyway: stores that send it along need not do
  /// it again.
  virtual Result<PartReceipt> upload_hashed_part(const UploadRef& upload, int number, std::string_view bytes,
                                                 const std::string& /*sha256*/) {
    return upload_part(upload, number, bytes);
  }
  /// Makes one object of the parts, in the order of their numbers; parts not named are thrown away. Completing again
  /// after a success that was not seen (a crash, a lost answer) succeeds as long as the object is still the one that
  /// these parts made; a store that cannot tell goes by the parts' total size.
  virtual Result<ObjectInfo> complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) = 0;
  /// Aborting what is not there is a success.
  virtual Status abort_upload(const UploadRef& upload) = 0;
  /// Uploads neither completed nor aborted whose key begins with `prefix`.
  virtual Result<std::vector<UploadInfo>> list_uploads(const std::string& prefix) = 0;
  /// Whether the store can be written to; the error says what is wrong.
  virtual Status ping() = 0;
  /// Removes what processes that died left half-written, and nothing that anybody alive is writing. Stores where half a
  /// write leaves nothing do nothing.
  virtual Status remove_abandoned_writes() { return {}; }
};

struct LinkOptions {
  std::chrono::seconds lifetime{300};
  std::string file_name;  ///< what the browser saves it as (RFC 6266); may hold any Unicode
  std::string content_type;
};

/// Mints links to private objects. Thread-safe.
class LinkSigner {
 public:
  virtual ~LinkSigner() = default;
  /// An absolute URL that serves the object for `lifetime`, without any other credential.
  virtual Result<std::string> sign(const std::string& key, const LinkOptions& options) = 0;
  /// How long a link minted now can live at most; sign() shortens what is longer.
  virtual Result<std::chrono::seconds> longest_lifetime() { return std::chrono::hours{24 * 365}; }
};

}  // namespace longshore
