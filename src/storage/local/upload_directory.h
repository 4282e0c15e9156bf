#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/local/file_descriptor.h"
#include "storage/object_store.h"

namespace longshore {

/// One multipart upload: a directory root/uploads/<id> of
///
///   meta           the object's key and content type, a line each; its time is when the upload was begun
///   lock           locked (flock) while the upload is being completed
///   part-00042     the part's bytes and a trailer of 16 (`crc32c=` 8 digits, newline), which holds its ETag without
///                  depending on extended attributes
///   assembly, plan while it is being completed; see assembly.h
///
/// Every file is moved there whole and durable, so any process finds only what was finished.
class UploadDirectory {
 public:
  struct Part {
    std::string etag;
    std::int64_t bytes = 0;
  };

  /// Where the store lies; descriptors are borrowed.
  struct Location {
    std::string root;
    int uploads = -1;
    int temporaries = -1;
  };

  static Result<UploadRef> begin(const Location& location, const std::string& key, const ObjectOptions& options);
  /// Errors: `upload_not_found`, also for an upload of another key.
  static Result<UploadDirectory> open(const Location& location, const UploadRef& upload);
  static Result<std::vector<UploadInfo>> list(const Location& location, const std::string& prefix);
  /// Makes the upload vanish at once, then clears it away.
  static Status discard(const Location& location, const UploadRef& upload);

  /// Errors: `store_unavailable` while another process or thread holds it, `upload_not_found` if that one finished.
  Result<FileDescriptor> lock() const;

  Result<PartReceipt> write_part(int number, std::string_view bytes) const;
  /// What is there under the number; `bytes` is -1 for nothing.
  Result<Part> find_part(int number) const;
  Result<FileDescriptor> open_part(int number) const;
  Status remove_part(int number) const;

  Result<std::vector<PartReceipt>> read_plan() const;
  Status write_plan(std::span<const PartReceipt> parts) const;

  int fd() const { return directory_.get(); }
  const UploadRef& upload() const { return upload_; }
  Error error(std::string_view doing, int error_number) const;

 private:
  UploadDirectory(Location location, UploadRef upload, FileDescriptor directory);

  Location location_;
  UploadRef upload_;
  FileDescriptor directory_;
};

}  // namespace longshore
