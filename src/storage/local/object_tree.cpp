#include "storage/local/object_tree.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "storage/local/file_operations.h"
#include "storage/multipart_rules.h"
#include "storage/object_key.h"

namespace longshore {
namespace {

// Of a path that cannot be walked: nothing is there. A symbolic link in the way gives ELOOP or, asked for as a
// directory, ENOTDIR.
bool means_absent(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

}  // namespace

ObjectInfo describe(const std::string& key, const struct stat& about) {
  const auto nanoseconds = std::chrono::seconds{about.st_mtim.tv_sec} + std::chrono::nanoseconds{about.st_mtim.tv_nsec};
  ObjectInfo info;
  info.key = key;
  info.size = about.st_size;
  info.etag = fmt::format("{:x}-{:x}", nanoseconds.count(), about.st_size);
  info.modified = Timestamp{std::chrono::floor<Duration>(nanoseconds)};
  return info;
}

ObjectTree::ObjectTree(std::string root, FileDescriptor directory)
    : root_(std::move(root)), directory_(std::move(directory)) {}

int ObjectTree::find_place(const std::string& key, Place& out) const {
  // An own descriptor of the top, so that every level is treated alike.
  FileDescriptor at;
  if (const int error = file::open_directory(directory_.get(), ".", at)) return error;
  std::size_t begin = 0;
  for (auto slash = key.find('/'); slash != std::string::npos; slash = key.find('/', begin)) {
    FileDescriptor next;
    if (const int error = file::open_directory(at.get(), key.substr(begin, slash - begin), next)) return error;
    at = std::move(next);
    begin = slash + 1;
  }
  out = {std::move(at), key.substr(begin)};
  return 0;
}

int ObjectTree::make_place(const std::string& key, Place& out) const {
  FileDescriptor at;
  if (const int error = file::open_directory(directory_.get(), ".", at)) return error;
  std::size_t begin = 0;
  for (auto slash = key.find('/'); slash != std::string::npos; slash = key.find('/', begin)) {
    const std::string name = key.substr(begin, slash - begin);
    if (::mkdirat(at.get(), name.c_str(), 0700) == 0) {
      // Who makes a directory makes it durable; who finds it made syncs the object's own directory later, and journals
      // keep that order.
      if (const int error = file::sync(at.get())) return error;
    } else if (errno != EEXIST) {
      return errno;
    }
    FileDescriptor next;
    if (const int error = file::open_directory(at.get(), name, next)) return error;
    at = std::move(next);
    begin = slash + 1;
  }
  out = {std::move(at), key.substr(begin)};
  return 0;
}

Result<FileDescriptor> ObjectTree::open(const std::string& key) const {
  Place place;
  FileDescriptor fd;
  int error = find_place(key, place);
  if (error == 0) error = file::open_regular(place.directory.get(), place.name, fd);
  if (means_absent(error)) return fail(object_not_found(key));
  if (error != 0) return fail(file::store_error(root_, "open the object " + key, error));
  return fd;
}

Status ObjectTree::publish(int from_directory, const std::string& from_name, const std::string& key) const {
  // Again if a directory goes between making and using it: remove() clears away what is empty.
  for (int attempt = 0;; ++attempt) {
    Place place;
    int error = make_place(key, place);
    if (error == 0 && ::renameat(from_directory, from_name.c_str(), place.directory.get(), place.name.c_str()) != 0) {
      error = errno;
    }
    if (error == 0) error = file::sync(place.directory.get());
    if (error == 0) return {};
    struct stat about {};
    if (error == ENOENT && ::fstatat(from_directory, from_name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail(object_not_found(key));
    }
    if (error != ENOENT || attempt >= 100) return fail(file::store_error(root_, "publish the object " + key, error));
  }
}

Status ObjectTree::remove(const std::string& key) const {
  Place place;
  int error = find_place(key, place);
  if (error == 0 && ::unlinkat(place.directory.get(), place.name.c_str(), 0) != 0) error = errno;
  if (error == 0) error = file::sync(place.directory.get());
  // A directory there is the beginning of other keys, not an object.
  if (means_absent(error) || error == EISDIR) return {};
  if (error == 0) error = remove_empty_directories(key);
  if (error != 0) return fail(file::store_error(root_, "remove the object " + key, error));
  return {};
}

int ObjectTree::remove_empty_directories(std::string key) const {
  for (auto slash = key.rfind('/'); slash != std::string::npos; slash = key.rfind('/')) {
    key.resize(slash);
    Place place;
    int error = find_place(key, place);
    if (error == 0 && ::unlinkat(place.directory.get(), place.name.c_str(), AT_REMOVEDIR) != 0) error = errno;
    if (error == ENOTEMPTY || error == EEXIST || means_absent(error)) return 0;
    if (error != 0) return error;
  }
  return 0;
}

struct ObjectTree::Listing {
  const std::string& prefix;
  const std::string& after;
  std::size_t limit;
  std::vector<ObjectInfo> found;

  bool wants_object(const std::string& key) const { return key.starts_with(prefix) && key > after; }
  /// `path` ends in a slash; whether a key that begins so may be wanted.
  bool wants_below(const std::string& path) const {
    return (path.starts_with(prefix) || prefix.starts_with(path)) && (path > after || after.starts_with(path));
  }
};

int ObjectTree::walk(int directory, const std::string& path, Listing& listing) const {
  std::vector<file::Entry> entries;
  if (const int error = file::entries(directory, entries)) return error;
  // As parts of keys: with its slash, a directory sorts where the keys below it do ("a-b" < "a/b" < "a0").
  std::vector<std::string> keys;
  for (const file::Entry& entry : entries) {
    std::string key = path + entry.name;
    if (entry.is_directory) key += '/';
    if (entry.is_directory ? listing.wants_below(key) : entry.is_regular && listing.wants_object(key)) {
      keys.push_back(std::move(key));
    }
  }
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) {
    if (listing.found.size() >= listing.limit) return 0;
    if (key.ends_with('/')) {
      FileDescriptor below;
      const int error = file::open_directory(directory, key.substr(path.size(), key.size() - path.size() - 1), below);
      if (means_absent(error)) continue;
      if (error != 0) return error;
      if (const int walked = walk(below.get(), key, listing)) return walked;
    } else if (check_object_key(key)) {
      struct stat about {};
      if (::fstatat(directory, key.c_str() + path.size(), &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode)) {
        listing.found.push_back(describe(key, about));
      }
    }
  }
  return 0;
}

Result<std::vector<ObjectInfo>> ObjectTree::list(const std::string& prefix, const std::string& after, int limit) const {
  if (limit <= 0) return std::vector<ObjectInfo>{};
  Listing listing{prefix, after, static_cast<std::size_t>(limit), {}};
  // The prefix's directories are gone to without reading those above them.
  const auto slash = prefix.rfind('/');
  const std::string path = slash == std::string::npos ? std::string{} : prefix.substr(0, slash + 1);
  Place place;
  int error = find_place(path + "x", place);
  if (error == 0) error = walk(place.directory.get(), path, listing);
  if (error != 0 && !means_absent(error)) {
    return fail(file::store_error(root_, fmt::format("list objects beginning with \"{}\"", prefix), error));
  }
  return std::move(listing.found);
}

}  // namespace longshore
