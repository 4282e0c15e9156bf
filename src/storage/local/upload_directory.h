#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/local/file_descriptor.h"
#include "storage/local/object_tree.h"
#include "storage/local/segment.h"
#include "storage/object_store.h"

namespace longshore {

/// One multipart upload: a directory root/uploads/<id> of
///
///   meta                    the object's key and content type, a line each; its time is when the upload was begun
///   lock                    locked (flock) while the upload is being completed
///   ~part-00042-1a2b3c4d    a part, see segment.h
///   object/                 while it is being completed, what is to become the object: the parts named, and the index
///
/// Every file is moved there whole and durable, so any process finds only what was finished.
class UploadDirectory {
 public:
  /// Where the store lies; descriptors are borrowed.
  struct Location {
    std::string root;
    int uploads = -1;
    int temporaries = -1;
  };
  static constexpr const char* kObjectName = "object";

  static Result<UploadRef> begin(const Location& location, const std::string& key, const ObjectOptions& options);
  /// Errors: `upload_not_found`, also for an upload of another key.
  static Result<UploadDirectory> open(const Location& location, const UploadRef& upload);
  static Result<std::vector<UploadInfo>> list(const Location& location, const std::string& prefix);
  /// Makes the upload vanish at once, then clears it away. If it is being completed meanwhile, either it vanishes or
  /// the object appears whole.
  static Status discard(const Location& location, const UploadRef& upload);

  /// Errors: `store_unavailable` while another process or thread holds it, `upload_not_found` if that one finished.
  Result<FileDescriptor> lock() const;

  Result<PartReceipt> write_part(int number, std::string_view bytes) const;
  /// Makes the directory `object` out of the parts and says what the object will be; durable when it returns. A crash
  /// anywhere leaves every part in one of the two directories, so it can be done again, also with other parts: nothing
  /// is copied or removed, parts are only moved. Parts under `object` are out of reach for a zombie that still writes.
  /// REQUIRES: the caller holds the lock; check_receipts() accepts `parts`. Errors: `part_mismatch`, `upload_not_found`
  /// if it was aborted meanwhile.
  Result<ObjectInfo> gather(std::span<const PartReceipt> parts, const StepObserver& on_step) const;

  int fd() const { return directory_.get(); }

 private:
  UploadDirectory(Location location, UploadRef upload, FileDescriptor directory);
  Error error(std::string_view doing, int error_number) const;
  bool is_gone() const;
  int make_object(FileDescriptor& out) const;
  Result<Segment> move_part(int object, const PartReceipt& part) const;
  Status move_others_back(int object, std::span<const Segment> segments) const;
  Result<ObjectInfo> write_index(int object, std::span<const Segment> segments) const;

  Location location_;
  UploadRef upload_;
  FileDescriptor directory_;
};

}  // namespace longshore
