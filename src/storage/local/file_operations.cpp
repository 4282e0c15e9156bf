#include "storage/local/file_operations.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <system_error>

#include "base/clock.h"
#include "base/random.h"

namespace longshore::file {
namespace {

constexpr std::size_t kWritebackBytes = std::size_t{1024} * 1024;
constexpr std::size_t kDirectBytes = std::size_t{1024} * 1024;
// O_DIRECT wants memory, offset and length in multiples of the disk's logical block: 512 or 4096 bytes.
constexpr std::size_t kDirectAlignment = 4096;
constexpr std::int64_t kMaxSmallFileBytes = std::int64_t{4} * 1024 * 1024;

int open_at(int parent, const std::string& name, int flags, FileDescriptor& out) {
  const int fd = ::openat(parent, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return errno;
  out = FileDescriptor(fd);
  return 0;
}

std::string free_space(const std::string& root) {
  struct statvfs about {};
  if (::statvfs(root.c_str(), &about) != 0) return {};
  return fmt::format("; {} of {} MiB and {} of {} files are free there", about.f_bavail * about.f_frsize / (1 << 20),
                     about.f_blocks * about.f_frsize / (1 << 20), about.f_favail, about.f_files);
}

/// Asks the disk to start on these bytes. Does not wait and promises nothing.
void start_writeback(int fd, std::int64_t offset, std::int64_t length) {
  // Only a hint: file systems without it (FUSE, some network ones) write at fsync, and an error shows there too.
  (void)::sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE);
}

bool set_direct(int fd, bool direct) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ::fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

// Writes whole blocks of the beginning of `bytes` and takes what was written off it. Stops without an error at what
// cannot be written so; a real error (no space, say) shows again when the rest is written the usual way.
void write_blocks(int fd, std::string_view& bytes) {
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  const std::unique_ptr<void, Free> block(std::aligned_alloc(kDirectAlignment, kDirectBytes));
  if (block == nullptr) return;
  while (bytes.size() >= kDirectAlignment) {
    const std::size_t length = std::min(bytes.size() / kDirectAlignment * kDirectAlignment, kDirectBytes);
    std::memcpy(block.get(), bytes.data(), length);
    const ssize_t n = ::write(fd, block.get(), length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
    // After a short write the position is no longer aligned, perhaps.
    if (static_cast<std::size_t>(n) != length) return;
  }
}

}  // namespace

Error store_error(const std::string& root, std::string_view doing, int error_number) {
  std::string message =
      fmt::format("cannot {} in the store {}: {}", doing, root, std::generic_category().message(error_number));
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return external_error("store_full", message + free_space(root) + "; free some space or move the store");
    case EACCES:
    case EPERM:
    case EROFS:
      return external_error("store_denied", message + "; the server's user must be able to write there", false);
    case EFBIG:
      return external_error("store_denied",
                            message + "; raise the limit on file size (ulimit -f) or of the file system", false);
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENOTEMPTY:
    case EEXIST:
      return external_error("store_denied",
                            message +
                                "; a file, directory or symbolic link that is no object of ours, or an object "
                                "whose key is the beginning of this one, stands in the way",
                            false);
    default:
      return external_error("store_unavailable", std::move(message));
  }
}

int open_directory(int parent, const std::string& name, FileDescriptor& out) {
  return open_at(parent, name, O_RDONLY | O_DIRECTORY, out);
}

int open_regular(int parent, const std::string& name, FileDescriptor& out) {
  // O_NONBLOCK: a pipe planted in the tree must not hold us up. It means nothing for a regular file.
  FileDescriptor fd;
  if (const int error = open_at(parent, name, O_RDONLY | O_NONBLOCK, fd)) return error == ELOOP ? ENOENT : error;
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) return errno;
  if (!S_ISREG(about.st_mode)) return ENOENT;
  out = std::move(fd);
  return 0;
}

int create(int parent, const std::string& name, FileDescriptor& out) {
  return open_at(parent, name, O_RDWR | O_CREAT | O_EXCL, out);
}

int write_all(int fd, std::string_view bytes) {
  std::int64_t offset = ::lseek(fd, 0, SEEK_CUR);
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), std::min(bytes.size(), kWritebackBytes));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
    if (!bytes.empty()) start_writeback(fd, offset, n);
    offset += n;
  }
  return 0;
}

int write_uncached(int fd, std::string_view bytes) {
  if (bytes.size() >= kDirectAlignment && set_direct(fd, true)) {
    write_blocks(fd, bytes);
    if (!set_direct(fd, false)) return errno;
  }
  return write_all(fd, bytes);
}

int read_at(int fd, char* into, std::int64_t length, std::int64_t offset, std::int64_t& got) {
  got = 0;
  while (got < length) {
    const ssize_t n = ::pread(fd, into + got, static_cast<std::size_t>(length - got), offset + got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) break;
    got += n;
  }
  return 0;
}

int read_small(int fd, std::string& out) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return errno;
  if (about.st_size > kMaxSmallFileBytes) return EFBIG;
  out.resize(static_cast<std::size_t>(about.st_size));
  std::int64_t got = 0;
  if (const int error = read_at(fd, out.data(), about.st_size, 0, got)) return error;
  out.resize(static_cast<std::size_t>(got));
  return 0;
}

int read_small(int parent, const std::string& name, std::string& out) {
  FileDescriptor fd;
  if (const int error = open_regular(parent, name, fd)) return error;
  return read_small(fd.get(), out);
}

int sync(int fd) {
  return ::fsync(fd) == 0 ? 0 : errno;
}

int stamp(int fd) {
  std::array<timespec, 2> times{};
  ::clock_gettime(CLOCK_REALTIME, &times[0]);
  times[1] = times[0];
  return ::futimens(fd, times.data()) == 0 ? 0 : errno;
}

int entries(int directory, std::vector<Entry>& out) {
  out.clear();
  // A descriptor of its own: fdopendir() takes it over, and reading moves its position.
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), &::closedir);
  if (stream == nullptr) {
    const int error = errno;
    ::close(fd);
    return error;
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) return errno;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    unsigned char type = entry->d_type;
    if (type == DT_UNKNOWN) {
      struct stat about {};
      if (::fstatat(directory, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
      type = S_ISDIR(about.st_mode) ? DT_DIR : S_ISREG(about.st_mode) ? DT_REG : DT_UNKNOWN;
    }
    out.push_back({std::move(name), type == DT_DIR, type == DT_REG});
  }
}

int remove_tree(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return errno;
  FileDescriptor directory;
  if (const int error = open_directory(parent, name, directory)) return error == ENOENT ? 0 : error;
  // Again if somebody adds a file meanwhile: an upload_part() that began before the upload was aborted.
  for (int attempt = 0;; ++attempt) {
    std::vector<Entry> found;
    if (const int error = entries(directory.get(), found)) return error;
    for (const Entry& entry : found) {
      if (const int error = remove_tree(directory.get(), entry.name)) return error;
    }
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
    if (errno != ENOTEMPTY || attempt >= 10) return errno;
  }
}

int remove_unless_locked(int temporaries, const std::string& name) {
  FileDescriptor fd;
  if (open_directory(temporaries, name, fd) == 0 && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return 0;
  }
  return remove_tree(temporaries, name);
}

int exchange(int first_parent, const std::string& first, int second_parent, const std::string& second) {
  return ::renameat2(first_parent, first.c_str(), second_parent, second.c_str(), RENAME_EXCHANGE) == 0 ? 0 : errno;
}

bool claim_temporary(int fd) {
  // Without locks (some network file systems) the entry cannot be swept either.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
  // A sweep between the entry's making and its lock holds the lock, or has removed it by now.
  struct stat about {};
  return ::fstat(fd, &about) == 0 && about.st_nlink > 0;
}

int remove_abandoned(int temporaries, int& removed) {
  removed = 0;
  std::vector<Entry> found;
  int first_error = entries(temporaries, found);
  for (const Entry& entry : found) {
    FileDescriptor fd;
    // For writing, because network file systems lock exclusively only so.
    const int error = entry.is_directory ? open_directory(temporaries, entry.name, fd)
                                         : open_at(temporaries, entry.name, O_RDWR | O_NONBLOCK, fd);
    if (error != 0 || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) continue;  // moved away, or its writer lives
    if (const int failed = remove_tree(temporaries, entry.name)) {
      if (first_error == 0) first_error = failed;
      continue;
    }
    ++removed;
  }
  return first_error;
}

Temporary::Temporary(int directory, std::string name, FileDescriptor fd)
    : directory_(directory), name_(std::move(name)), fd_(std::move(fd)) {}

Temporary::Temporary(Temporary&& other) noexcept
    : directory_(std::exchange(other.directory_, -1)), name_(std::move(other.name_)), fd_(std::move(other.fd_)) {}

Temporary::~Temporary() {
  if (directory_ >= 0) ::unlinkat(directory_, name_.c_str(), 0);
}

Result<Temporary> Temporary::make(const std::string& root, int directory) {
  for (;;) {
    std::string name = uuid_v7(SystemClock{}.now());
    FileDescriptor fd;
    if (const int error = create(directory, name, fd)) return fail(store_error(root, "create a temporary file", error));
    if (claim_temporary(fd.get())) return Temporary(directory, std::move(name), std::move(fd));
  }
}

Status write_small(const std::string& root, int temporaries, int directory, const std::string& name,
                   std::string_view bytes) {
  TRY(auto temporary, Temporary::make(root, temporaries));
  int error = write_all(temporary.fd(), bytes);
  if (error == 0) error = sync(temporary.fd());
  if (error == 0 && ::renameat(temporaries, temporary.name().c_str(), directory, name.c_str()) != 0) error = errno;
  if (error != 0) return fail(store_error(root, "write the file " + name, error));
  temporary.moved();
  error = sync(directory);
  if (error != 0) return fail(store_error(root, "write the file " + name, error));
  return {};
}

}  // namespace longshore::file
