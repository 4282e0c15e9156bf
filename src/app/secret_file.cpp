#include "app/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/digest.h"
#include "base/random.h"

namespace longshore {

namespace {

Error unusable(const std::string& doing, const std::string& path) {
  return external_error("data_dir_unusable", "cannot " + doing + " " + path + ": " + std::strerror(errno), false);
}

Result<std::string> read_secret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string secret((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file && !file.eof()) return fail(unusable("read", path));
  if (secret.empty()) {
    return fail(external_error("data_dir_unusable", path + " is empty; remove it to have a new one made", false));
  }
  return secret;
}

}  // namespace

Result<std::string> read_or_make_secret(const std::string& path, const std::function<Result<std::string>()>& generate) {
  if (::access(path.c_str(), F_OK) == 0) return read_secret(path);
  TRY(const std::string secret, generate());
  // Written aside and linked: link() fails when another process was first, and the name never shows half a secret.
  const std::string aside = path + "." + to_hex(random_bytes(6));
  const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return fail(unusable("create", aside));
  const bool written =
      ::write(fd, secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) && ::fsync(fd) == 0;
  ::close(fd);
  const bool linked = written && ::link(aside.c_str(), path.c_str()) == 0;
  const int reason = errno;
  ::unlink(aside.c_str());
  if (linked) return secret;
  if (written && reason == EEXIST) return read_secret(path);
  errno = reason;
  return fail(unusable("write", path));
}

}  // namespace longshore
