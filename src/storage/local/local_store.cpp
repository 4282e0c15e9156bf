#include "storage/local/local_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "storage/local/file_operations.h"
#include "storage/multipart_rules.h"
#include "storage/object_key.h"

namespace longshore {
namespace {

Result<FileDescriptor> make_directory(const std::string& root, int parent, const std::string& name, dev_t device) {
  FileDescriptor directory;
  struct stat about {};
  int error = ::mkdirat(parent, name.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
  if (error == 0) error = file::open_directory(parent, name, directory);
  if (error == 0 && ::fstat(directory.get(), &about) != 0) error = errno;
  if (error == 0 && about.st_dev != device) error = EXDEV;
  if (error == EXDEV) {
    return fail(
        external_error("store_denied",
                       fmt::format("{}/{} lies on another file system than {}; objects are moved into place, so "
                                   "the whole store must be on one",
                                   root, name, root),
                       false));
  }
  if (error != 0) return fail(file::store_error(root, "make the directory " + name, error));
  return directory;
}

Status check_offsets(const std::string& key, std::int64_t offset, std::int64_t length) {
  if (offset >= 0 && length >= 0) return {};
  return fail(
      internal_error("bad_range", fmt::format("cannot read {} bytes from offset {} of {}", length, offset, key)));
}

}  // namespace

LocalStore::LocalStore(std::string root, FileDescriptor objects, FileDescriptor uploads, FileDescriptor temporaries,
                       LocalStoreOptions options)
    : root_(std::move(root)),
      objects_(root_, std::move(objects), temporaries.get(), options.on_step),
      uploads_(std::move(uploads)),
      temporaries_(std::move(temporaries)),
      options_(std::move(options)) {}

Result<std::unique_ptr<LocalStore>> LocalStore::make(const std::string& root, LocalStoreOptions options) {
  std::error_code failed;
  std::filesystem::create_directories(root, failed);
  if (failed) return fail(file::store_error(root, "make the directory", failed.value()));
  // The root itself may be a link: it is the operator's choice. Nothing below may.
  const FileDescriptor directory(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat about {};
  if (!directory || ::fstat(directory.get(), &about) != 0)
    return fail(file::store_error(root, "open the directory", errno));
  TRY(auto objects, make_directory(root, directory.get(), "objects", about.st_dev));
  TRY(auto uploads, make_directory(root, directory.get(), "uploads", about.st_dev));
  TRY(auto temporaries, make_directory(root, directory.get(), "tmp", about.st_dev));
  if (const int error = file::sync(directory.get())) return fail(file::store_error(root, "write the directory", error));
  return std::unique_ptr<LocalStore>(
      new LocalStore(root, std::move(objects), std::move(uploads), std::move(temporaries), std::move(options)));
}

UploadDirectory::Location LocalStore::location() const {
  return {root_, uploads_.get(), temporaries_.get()};
}

void LocalStore::step(std::string_view name) const {
  if (options_.on_step) options_.on_step(name);
}

Result<ObjectInfo> LocalStore::put(const std::string& key, std::string_view bytes, const ObjectOptions&) {
  CHECK_OK(check_object_key(key));
  TRY(auto temporary, file::Temporary::make(root_, temporaries_.get()));
  struct stat about {};
  int error = file::write_all(temporary.fd(), bytes);
  if (error == 0) error = file::stamp(temporary.fd());
  if (error == 0) error = file::sync(temporary.fd());
  if (error == 0 && ::fstat(temporary.fd(), &about) != 0) error = errno;
  if (error != 0) return fail(file::store_error(root_, "write the object " + key, error));
  step("put.written");
  CHECK_OK(objects_.publish(temporaries_.get(), temporary.name(), key));
  temporary.moved();
  step("put.published");
  return describe(key, about, about.st_size);
}

Status LocalStore::get(const std::string& key, std::int64_t offset, std::int64_t length, ByteBuffer& out) {
  CHECK_OK(check_offsets(key, offset, length));
  TRY(const auto object, open_for_read(key));
  const std::int64_t wanted = std::min(length, std::max<std::int64_t>(object->info().size - offset, 0));
  if (wanted == 0) return {};
  TRY(const auto got, object->read(out.reserve_back(static_cast<std::size_t>(wanted)), wanted, offset));
  out.grow(static_cast<std::size_t>(got));
  return {};
}

Result<std::shared_ptr<const ReadableObject>> LocalStore::open_for_read(const std::string& key) const {
  CHECK_OK(check_object_key(key));
  return objects_.open(key);
}

Result<ObjectInfo> LocalStore::head(const std::string& key) {
  CHECK_OK(check_object_key(key));
  return objects_.head(key);
}

Status LocalStore::remove(const std::string& key) {
  CHECK_OK(check_object_key(key));
  return objects_.remove(key);
}

Result<std::vector<ObjectInfo>> LocalStore::list(const std::string& prefix, const std::string& after, int limit) {
  CHECK_OK(check_key_prefix(prefix));
  return objects_.list(prefix, after, limit);
}

Result<UploadRef> LocalStore::begin_upload(const std::string& key, const ObjectOptions& options) {
  CHECK_OK(check_object_key(key));
  TRY(auto upload, UploadDirectory::begin(location(), key, options));
  step("begin.published");
  return upload;
}

Result<PartReceipt> LocalStore::upload_part(const UploadRef& upload, int number, std::string_view bytes) {
  CHECK_OK(check_part_number(number));
  TRY(const auto directory, UploadDirectory::open(location(), upload));
  TRY(auto receipt, directory.write_part(number, bytes));
  step("part.published");
  return receipt;
}

Result<ObjectInfo> LocalStore::complete_upload(const UploadRef& upload, std::span<const PartReceipt> parts) {
  CHECK_OK(check_object_key(upload.key));
  CHECK_OK(check_receipts(parts));
  const auto directory = UploadDirectory::open(location(), upload);
  if (!directory) return find_completed(upload, parts, directory.error());
  const auto lock = directory->lock();
  if (!lock) return find_completed(upload, parts, lock.error());
  auto object = gather_and_publish(*directory, upload, parts);
  // A crash between publishing and clearing away leaves an upload whose parts are gone and whose object is there.
  if (!object) object = find_completed(upload, parts, object.error());
  if (!object) return object;
  CHECK_OK(UploadDirectory::discard(location(), upload));
  step("complete.cleared");
  return object;
}

Result<ObjectInfo> LocalStore::gather_and_publish(const UploadDirectory& directory, const UploadRef& upload,
                                                  std::span<const PartReceipt> parts) {
  TRY(auto object, directory.gather(parts, options_.on_step));
  const auto published = objects_.publish(directory.fd(), UploadDirectory::kObjectName, upload.key);
  if (!published && published.error().code == "object_not_found") return fail(upload_not_found(upload));
  if (!published) return fail(published.error());
  step("complete.published");
  return object;
}

Result<ObjectInfo> LocalStore::find_completed(const UploadRef& upload, std::span<const PartReceipt> parts,
                                              const Error& otherwise) {
  if (otherwise.code != "upload_not_found" && otherwise.code != "part_mismatch") return fail(otherwise);
  const auto object = open_for_read(upload.key);
  if (object && (*object)->consists_of(parts)) return (*object)->info();
  return fail(otherwise);
}

Status LocalStore::abort_upload(const UploadRef& upload) {
  const auto directory = UploadDirectory::open(location(), upload);
  if (!directory && directory.error().code == "upload_not_found") return {};
  if (!directory) return fail(directory.error());
  return UploadDirectory::discard(location(), upload);
}

Result<std::vector<UploadInfo>> LocalStore::list_uploads(const std::string& prefix) {
  CHECK_OK(check_key_prefix(prefix));
  return UploadDirectory::list(location(), prefix);
}

Status LocalStore::ping() {
  TRY(auto temporary, file::Temporary::make(root_, temporaries_.get()));
  if (const int error = file::write_all(temporary.fd(), "ping")) return fail(file::store_error(root_, "write", error));
  return {};
}

Status LocalStore::remove_abandoned_writes() {
  int removed = 0;
  if (const int error = file::remove_abandoned(temporaries_.get(), removed)) {
    return fail(file::store_error(root_, "remove abandoned temporary files", error));
  }
  return {};
}

}  // namespace longshore
