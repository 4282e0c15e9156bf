#include "storage/local/upload_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/digest.h"
#include "base/random.h"
#include "storage/local/file_operations.h"
#include "storage/local/object_tree.h"
#include "storage/multipart_rules.h"

namespace longshore {
namespace {

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

UploadDirectory::UploadDirectory(Location location, UploadRef upload, FileDescriptor directory)
    : location_(std::move(location)), upload_(std::move(upload)), directory_(std::move(directory)) {}

Error UploadDirectory::error(std::string_view doing, int error_number) const {
  return file::store_error(location_.root, fmt::format("{} of upload {} of {}", doing, upload_.id, upload_.key),
                           error_number);
}

Result<UploadRef> UploadDirectory::begin(const Location& location, const std::string& key,
                                         const ObjectOptions& options) {
  UploadRef upload{key, {}};
  // Built aside and moved into place, so that an upload without its meta file cannot be seen.
  FileDescriptor directory;
  FileDescriptor lock;
  int error = 0;
  for (bool ours = false; !ours && error == 0;) {
    upload.id = uuid_v7(SystemClock{}.now());
    if (::mkdirat(location.temporaries, upload.id.c_str(), 0700) != 0) {
      error = errno;
      break;
    }
    error = file::open_directory(location.temporaries, upload.id, directory);
    ours = error == 0 && file::claim_temporary(directory.get());
    if (error == ENOENT) error = 0;  // swept before it could be claimed
  }
  if (error == 0) error = file::create(directory.get(), "lock", lock);
  if (error == 0) {
    if (auto status = file::write_small(location.root, location.temporaries, directory.get(), "meta",
                                        fmt::format("{}\n{}\n", key, options.content_type));
        !status) {
      file::remove_tree(location.temporaries, upload.id);
      return fail(std::move(status).error());
    }
  }
  if (error == 0 && ::renameat(location.temporaries, upload.id.c_str(), location.uploads, upload.id.c_str()) != 0) {
    error = errno;
  }
  if (error == 0) error = file::sync(location.uploads);
  if (error != 0) {
    file::remove_tree(location.temporaries, upload.id);
    return fail(file::store_error(location.root, "begin an upload of " + key, error));
  }
  return upload;
}

Result<UploadDirectory> UploadDirectory::open(const Location& location, const UploadRef& upload) {
  // Ids are of our making; whatever else comes in (a path, say) names no upload.
  if (!is_uuid(upload.id)) return fail(upload_not_found(upload));
  FileDescriptor directory;
  std::string meta;
  int error = file::open_directory(location.uploads, upload.id, directory);
  if (error == 0) error = file::read_small(directory.get(), "meta", meta);
  if (error == ENOENT || error == ENOTDIR || (error == 0 && first_line(meta) != upload.key)) {
    return fail(upload_not_found(upload));
  }
  UploadDirectory opened(location, upload, std::move(directory));
  if (error != 0) return fail(opened.error("open the directory", error));
  return opened;
}

Result<std::vector<UploadInfo>> UploadDirectory::list(const Location& location, const std::string& prefix) {
  std::vector<file::Entry> entries;
  if (const int error = file::entries(location.uploads, entries)) {
    return fail(file::store_error(location.root, "list uploads", error));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::vector<UploadInfo> found;
  for (const file::Entry& entry : entries) {
    FileDescriptor directory;
    std::string meta;
    struct stat about {};
    // One that ends just now is no longer an upload.
    if (!is_uuid(entry.name) || file::open_directory(location.uploads, entry.name, directory) != 0 ||
        file::read_small(directory.get(), "meta", meta) != 0 ||
        ::fstatat(directory.get(), "meta", &about, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    std::string key = first_line(meta);
    if (key.starts_with(prefix)) found.push_back({{key, entry.name}, describe(key, about, 0).modified});
  }
  return found;
}

Status UploadDirectory::discard(const Location& location, const UploadRef& upload) {
  FileDescriptor directory;
  int error = file::open_directory(location.uploads, upload.id, directory);
  if (error == ENOENT) return {};
  // First and at once what a complete_upload() under way would publish, before anything in it is removed.
  const std::string object = uuid_v7(SystemClock{}.now());
  const std::string gone = upload.id + ".gone";
  if (error == 0 && ::renameat(directory.get(), kObjectName, location.temporaries, object.c_str()) != 0 &&
      errno != ENOENT) {
    error = errno;
  }
  if (error == 0 && ::renameat(location.uploads, upload.id.c_str(), location.temporaries, gone.c_str()) != 0) {
    error = errno;
  }
  if (error == ENOENT) error = 0;  // another one does the same
  if (error == 0) error = file::sync(location.uploads);
  if (error == 0) error = file::remove_unless_locked(location.temporaries, object);
  if (error == 0) error = file::remove_tree(location.temporaries, gone);
  if (error != 0) return fail(file::store_error(location.root, "discard the upload " + upload.id, error));
  return {};
}

Result<FileDescriptor> UploadDirectory::lock() const {
  const int fd = ::openat(directory_.get(), "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) return fail(upload_not_found(upload_));
  if (fd < 0) return fail(error("open the lock", errno));
  FileDescriptor lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(error("take the lock", errno));
    return fail(external_error("store_unavailable", fmt::format("upload {} of {} is being completed by another process",
                                                                upload_.id, upload_.key)));
  }
  // Whoever held it before may have finished.
  if (is_gone()) return fail(upload_not_found(upload_));
  return lock;
}

// Whether this directory is no longer the upload.
bool UploadDirectory::is_gone() const {
  struct stat about {};
  return ::fstatat(location_.uploads, upload_.id.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0;
}

Result<PartReceipt> UploadDirectory::write_part(int number, std::string_view bytes) const {
  const std::string doing = fmt::format("write part {}", number);
  const Segment segment{number, crc32c(bytes), static_cast<std::int64_t>(bytes.size())};
  const std::string name = segment_name(segment.number, segment.crc32c);
  TRY(auto temporary, file::Temporary::make(location_.root, location_.temporaries));
  int failed = file::write_uncached(temporary.fd(), bytes);
  if (failed == 0) failed = file::sync(temporary.fd());
  if (failed != 0) return fail(error(doing, failed));
  if (::renameat(location_.temporaries, temporary.name().c_str(), directory_.get(), name.c_str()) != 0) {
    if (errno == ENOENT) return fail(upload_not_found(upload_));
    return fail(error(doing, errno));
  }
  temporary.moved();
  failed = file::sync(directory_.get());
  if (failed != 0) return fail(error(doing, failed));
  return receipt_of(segment);
}

Result<ObjectInfo> UploadDirectory::gather(std::span<const PartReceipt> parts, const StepObserver& on_step) const {
  FileDescriptor object;
  int failed = make_object(object);
  if (failed == ENOENT) return fail(upload_not_found(upload_));
  if (failed != 0) return fail(error("make the object", failed));
  std::vector<Segment> segments;
  segments.reserve(parts.size());
  for (const PartReceipt& part : parts) {
    const auto segment = move_part(object.get(), part);
    if (!segment && is_gone()) return fail(upload_not_found(upload_));
    if (!segment) return fail(segment.error());
    segments.push_back(*segment);
    if (on_step) on_step("complete.moved");
  }
  CHECK_OK(move_others_back(object.get(), segments));
  if (on_step) on_step("complete.sorted");
  TRY(auto info, write_index(object.get(), segments));
  if (on_step) on_step("complete.synced");
  return info;
}

int UploadDirectory::make_object(FileDescriptor& out) const {
  for (;;) {
    if (::mkdirat(directory_.get(), kObjectName, 0700) != 0 && errno != EEXIST) return errno;
    const int failed = file::open_directory(directory_.get(), kObjectName, out);
    if (failed != ENOTDIR) return failed;
    // A plain file: an object that was exchanged for this upload's, by somebody who was killed before clearing it away.
    if (::unlinkat(directory_.get(), kObjectName, 0) != 0 && errno != ENOENT) return errno;
  }
}

// Moves the part to the directory `object`, unless an earlier attempt did, and looks whether it is what it should be:
// its name says the checksum, so what is left is its size.
Result<Segment> UploadDirectory::move_part(int object, const PartReceipt& part) const {
  const auto segment = segment_of(part);
  if (!segment) return fail(part_mismatch(upload_, part, "there is no such part"));
  const std::string name = segment_name(segment->number, segment->crc32c);
  struct stat about {};
  int failed = ::renameat(directory_.get(), name.c_str(), object, name.c_str()) == 0 || errno == ENOENT ? 0 : errno;
  if (failed == 0 && ::fstatat(object, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) failed = errno;
  if (failed == ENOENT) return fail(part_mismatch(upload_, part, "there is no such part"));
  if (failed != 0) return fail(error(fmt::format("move part {}", part.number), failed));
  if (!S_ISREG(about.st_mode)) return fail(part_mismatch(upload_, part, "what is there is no file"));
  if (about.st_size != part.bytes) {
    return fail(part_mismatch(upload_, part, fmt::format("its file is damaged and has {} bytes", about.st_size)));
  }
  return *segment;
}

// An earlier attempt may have been of other parts.
Status UploadDirectory::move_others_back(int object, std::span<const Segment> segments) const {
  std::vector<file::Entry> entries;
  if (const int failed = file::entries(object, entries)) return fail(error("look at the parts", failed));
  std::vector<std::string> names;
  names.reserve(segments.size());
  for (const Segment& segment : segments) names.push_back(segment_name(segment.number, segment.crc32c));
  for (const file::Entry& entry : entries) {
    // Names ascend as numbers do.
    if (std::ranges::binary_search(names, entry.name)) continue;
    if (::renameat(object, entry.name.c_str(), directory_.get(), entry.name.c_str()) != 0 && errno != ENOENT) {
      return fail(error("move back " + entry.name, errno));
    }
  }
  return {};
}

Result<ObjectInfo> UploadDirectory::write_index(int object, std::span<const Segment> segments) const {
  TRY(auto temporary, file::Temporary::make(location_.root, location_.temporaries));
  struct stat about {};
  int failed = file::write_all(temporary.fd(), format_index(segments));
  if (failed == 0) failed = file::stamp(temporary.fd());
  if (failed == 0) failed = file::sync(temporary.fd());
  if (failed == 0 && ::fstat(temporary.fd(), &about) != 0) failed = errno;
  if (failed == 0 && ::renameat(location_.temporaries, temporary.name().c_str(), object, kIndexName) != 0)
    failed = errno;
  if (failed == ENOENT) return fail(upload_not_found(upload_));
  if (failed != 0) return fail(error("write the index", failed));
  temporary.moved();
  failed = file::sync(object);
  if (failed != 0) return fail(error("write the index", failed));
  std::int64_t size = 0;
  for (const Segment& segment : segments) size += segment.bytes;
  return describe(upload_.key, about, size);
}

}  // namespace longshore
