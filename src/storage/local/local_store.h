#pragma once

#include <memory>
#include <string>

#include "storage/local/file_descriptor.h"
#include "storage/local/object_tree.h"
#include "storage/local/readable_object.h"
#include "storage/local/upload_directory.h"
#include "storage/object_store.h"

namespace longshore {

struct LocalStoreOptions {
  /// Tests end the process there. May be empty; must be thread-safe.
  StepObserver on_step = nullptr;
};

/// Object storage in a directory of this machine:
///
///   root/objects/<key>     what was put: a plain file
///   root/objects/<key>/    what was uploaded in parts: the parts as they came and an index, see segment.h. The
///   object's
///                          bytes are those of `cat ~part-*` there
///   root/uploads/<id>/     multipart uploads, see upload_directory.h
///   root/tmp/              what is being written or cleared away; all three must be on one file system
///
/// Completing an upload moves its parts and copies none of them: it takes milliseconds and no space, whatever the size.
/// Parts lie at any offset of the object, because heads and last parts have any length, so one file could only be made
/// of them by a copy; and were they written into their place, a zombie could write into the part of another.
///
/// What a call has stored is durable (fsync of file and directory) when it returns. Any number of threads and processes
/// may use one directory. Content types are not kept with objects: a signed link carries one, and the extension of the
/// key says it too. As directories and files share names, no key can be the beginning of another up to a slash (`a` and
/// `a/b`): the second is refused as `store_denied`, where S3 would keep both.
///
/// Directories are made 0700 and files 0600: what is exported is nobody else's business on the machine.
class LocalStore final : public ObjectStore {
 public:
  /// Makes what is missing of the directories. Errors: as of a write; `store_denied` also if they span file systems.
  static Result<std::unique_ptr<LocalStore>> make(const std::string& root, LocalStoreOptions options = {});

  Result<ObjectInfo> put(const std::string& key, std::string_view bytes, const ObjectOptions& options) override;
  Status get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) override;
  Result<ObjectInfo> head(const std::string& key) override;
  Status remove(const std::string& key) override;
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& after, int limit) override;
  Result<UploadRef> begin_upload(const std::string& key, const ObjectOptions& options) override;
  Result<PartReceipt> upload_part(const UploadRef& upload, int number, std::string_view bytes) override;
  /// Also `store_unavailable` while another process completes the same upload.
  Result<ObjectInfo> complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) override;
  Status abort_upload(const UploadRef& upload) override;
  Result<std::vector<UploadInfo>> list_uploads(const std::string& prefix) override;
  Status ping() override;
  /// What is in root/tmp without the lock of a living writer.
  Status remove_abandoned_writes() override;

  /// For serving byte ranges with flat memory.
  Result<std::shared_ptr<const ReadableObject>> open_for_read(const std::string& key) const;

  const std::string& root() const { return root_; }

 private:
  LocalStore(std::string root, FileDescriptor objects, FileDescriptor uploads, FileDescriptor temporaries,
             LocalStoreOptions options);
  UploadDirectory::Location location() const;
  Result<ObjectInfo> gather_and_publish(const UploadDirectory& directory, const UploadRef& upload,
                                        std::span<const PartReceipt> parts);
  Result<ObjectInfo> find_completed(const UploadRef& upload, std::span<const PartReceipt> parts,
                                    const Error& otherwise);
  void step(std::string_view name) const;

  std::string root_;
  ObjectTree objects_;
  FileDescriptor uploads_;
  FileDescriptor temporaries_;
  LocalStoreOptions options_;
};

}  // namespace longshore
