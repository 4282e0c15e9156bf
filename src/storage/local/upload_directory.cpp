#include "storage/local/upload_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/digest.h"
#include "base/random.h"
#include "storage/local/file_operations.h"
#include "storage/local/object_tree.h"
#include "storage/multipart_rules.h"

namespace longshore {
namespace {

constexpr std::int64_t kTrailerBytes = 16;
constexpr std::string_view kTrailerBegin = "crc32c=";

std::string part_name(int number) {
  return fmt::format("part-{:05}", number);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// One line of a plan: number, ETag, bytes.
bool parse_receipt(std::string_view line, PartReceipt& out) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  const auto number = line.substr(0, first);
  const auto bytes = line.substr(last + 1);
  out.etag = line.substr(first + 1, last - first - 1);
  return std::from_chars(number.data(), number.data() + number.size(), out.number).ec == std::errc{} &&
         std::from_chars(bytes.data(), bytes.data() + bytes.size(), out.bytes).ec == std::errc{};
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
    if (key.starts_with(prefix)) found.push_back({{key, entry.name}, describe(key, about).modified});
  }
  return found;
}

Status UploadDirectory::discard(const Location& location, const UploadRef& upload) {
  const std::string gone = upload.id + ".gone";
  int error = ::renameat(location.uploads, upload.id.c_str(), location.temporaries, gone.c_str()) == 0 ? 0 : errno;
  if (error == ENOENT) return {};
  if (error == 0) error = file::sync(location.uploads);
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
  // Whoever held it before may have finished: then this directory is no longer the upload.
  struct stat about {};
  if (::fstatat(location_.uploads, upload_.id.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail(upload_not_found(upload_));
  }
  return lock;
}

Result<PartReceipt> UploadDirectory::write_part(int number, std::string_view bytes) const {
  const std::string doing = fmt::format("write part {}", number);
  const std::string trailer = fmt::format("{}{:08x}\n", kTrailerBegin, crc32c(bytes));
  TRY(auto temporary, file::Temporary::make(location_.root, location_.temporaries));
  int failed = file::write_all(temporary.fd(), bytes);
  if (failed == 0) failed = file::write_all(temporary.fd(), trailer);
  if (failed == 0) failed = file::sync(temporary.fd());
  if (failed != 0) return fail(error(doing, failed));
  if (::renameat(location_.temporaries, temporary.name().c_str(), directory_.get(), part_name(number).c_str()) != 0) {
    if (errno == ENOENT) return fail(upload_not_found(upload_));
    return fail(error(doing, errno));
  }
  temporary.moved();
  failed = file::sync(directory_.get());
  if (failed != 0) return fail(error(doing, failed));
  return PartReceipt{number, part_etag(bytes), static_cast<std::int64_t>(bytes.size())};
}

Result<UploadDirectory::Part> UploadDirectory::find_part(int number) const {
  const std::string doing = fmt::format("look at part {}", number);
  FileDescriptor fd;
  struct stat about {};
  int failed = file::open_regular(directory_.get(), part_name(number), fd);
  if (failed == ENOENT) return Part{"", -1};
  if (failed == 0 && ::fstat(fd.get(), &about) != 0) failed = errno;
  std::array<char, kTrailerBytes> trailer{};
  std::int64_t got = 0;
  const std::int64_t bytes = about.st_size - kTrailerBytes;
  if (failed == 0 && bytes >= 0) failed = file::read_at(fd.get(), trailer.data(), kTrailerBytes, bytes, got);
  if (failed != 0) return fail(error(doing, failed));
  const std::string_view text(trailer.data(), static_cast<std::size_t>(got));
  if (!text.starts_with(kTrailerBegin) || text.back() != '\n') return Part{"damaged", std::max<std::int64_t>(bytes, 0)};
  return Part{fmt::format("{}-{:x}", text.substr(kTrailerBegin.size(), 8), bytes), bytes};
}

Result<FileDescriptor> UploadDirectory::open_part(int number) const {
  FileDescriptor fd;
  if (const int failed = file::open_regular(directory_.get(), part_name(number), fd)) {
    return fail(error(fmt::format("open part {}", number), failed));
  }
  return fd;
}

Status UploadDirectory::remove_part(int number) const {
  if (::unlinkat(directory_.get(), part_name(number).c_str(), 0) == 0 || errno == ENOENT) return {};
  return fail(error(fmt::format("remove part {}", number), errno));
}

Result<std::vector<PartReceipt>> UploadDirectory::read_plan() const {
  std::vector<PartReceipt> plan;
  std::string text;
  const int failed = file::read_small(directory_.get(), "plan", text);
  if (failed == ENOENT) return plan;
  if (failed != 0) return fail(error("read the plan", failed));
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    PartReceipt receipt;
    if (!parse_receipt(std::string_view(text).substr(begin, end - begin), receipt)) {
      return fail(internal_error("part_mismatch",
                                 fmt::format("the plan of upload {} of {} is damaged", upload_.id, upload_.key)));
    }
    plan.push_back(std::move(receipt));
    begin = end + 1;
  }
  return plan;
}

Status UploadDirectory::write_plan(std::span<const PartReceipt> parts) const {
  std::string text;
  for (const PartReceipt& part : parts) text += fmt::format("{} {} {}\n", part.number, part.etag, part.bytes);
  return file::write_small(location_.root, location_.temporaries, directory_.get(), "plan", text);
}

}  // namespace longshore
