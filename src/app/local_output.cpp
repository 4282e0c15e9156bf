#include "app/local_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace longshore {

namespace {

Error output_failed(const char* doing, const std::string& what) {
  return external_error("output_failed", std::string("cannot ") + doing + " " + what + ": " + std::strerror(errno),
                        false);
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(descriptor, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

/// A file in `folder` that has no name; -1 and errno when there cannot be one.
int open_unnamed(const std::string& folder) {
  const int unnamed = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  // Not every file system has such files (NFS, some FUSE): then the name lives for a moment.
  if (unnamed >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return unnamed;
  std::string name = folder + "/.longshore-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

Result<LocalOutput> LocalOutput::open(const std::string& path) {
  LocalOutput output;
  if (path == "-") {
    output.descriptor_ = STDOUT_FILENO;
    return output;
  }
  output.path_ = path;
  output.descriptor_ = ::open(output.partial().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (output.descriptor_ < 0) return fail(output_failed("create", output.partial()));
  return output;
}

LocalOutput::~LocalOutput() {
  if (path_.empty() || descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(partial().c_str());
}

LocalOutput::LocalOutput(LocalOutput&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), written_(other.written_) {}

Status LocalOutput::write(std::string_view bytes) {
  if (!write_all(descriptor_, bytes)) {
    return fail(output_failed("write", path_.empty() ? "standard output" : partial()));
  }
  written_ += static_cast<std::int64_t>(bytes.size());
  return {};
}

Status LocalOutput::publish() {
  if (path_.empty()) return {};
  if (::fsync(descriptor_) != 0 && errno != EINVAL) return fail(output_failed("write", partial()));
  if (::rename(partial().c_str(), path_.c_str()) != 0) return fail(output_failed("name", path_));
  ::close(std::exchange(descriptor_, -1));
  return {};
}

std::string LocalOutput::folder() const {
  if (path_.empty()) {
    const char* temporary = std::getenv("TMPDIR");
    return temporary != nullptr && *temporary != '\0' ? temporary : "/tmp";
  }
  const std::string parent = std::filesystem::path(path_).parent_path();
  return parent.empty() ? "." : parent;
}

Result<HeldBytes> HeldBytes::make(const std::string& folder) {
  HeldBytes held;
  held.folder_ = folder;
  held.descriptor_ = open_unnamed(folder);
  if (held.descriptor_ < 0) return fail(output_failed("create a temporary file in", folder));
  return held;
}

HeldBytes::~HeldBytes() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

HeldBytes::HeldBytes(HeldBytes&& other) noexcept
    : folder_(std::move(other.folder_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

Status HeldBytes::append(std::string_view bytes) {
  if (!write_all(descriptor_, bytes)) return fail(output_failed("write a temporary file in", folder_));
  size_ += static_cast<std::int64_t>(bytes.size());
  return {};
}

Status HeldBytes::copy_to(LocalOutput& output, std::int64_t offset, std::int64_t length) const {
  std::string block(std::size_t{1} << 20, '\0');
  while (length > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(length, std::ssize(block)));
    const ssize_t got = ::pread(descriptor_, block.data(), wanted, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(output_failed("read a temporary file in", folder_));
    CHECK_OK(output.write({block.data(), static_cast<std::size_t>(got)}));
    offset += got;
    length -= got;
  }
  return {};
}

}  // namespace longshore
