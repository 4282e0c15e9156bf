#include "storage/local/object_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "base/random.h"
#include "storage/local/file_operations.h"
#include "storage/local/segment.h"
#include "storage/multipart_rules.h"
#include "storage/object_key.h"

namespace longshore {
namespace {

// How often a place that others keep changing is looked at again.
constexpr int kAttempts = 100;

// Of a path that cannot be walked: nothing is there. A symbolic link in the way gives ELOOP or, asked for as a
// directory, ENOTDIR.
bool means_absent(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

bool holds_index(int directory) {
  struct stat about {};
  return ::fstatat(directory, kIndexName, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode);
}

// Whether what stands there may be replaced by an object. A directory without an index is the beginning of keys.
bool is_replaceable(int directory, const std::string& name) {
  FileDescriptor below;
  const int error = file::open_directory(directory, name, below);
  return error == 0 ? holds_index(below.get()) : means_absent(error);
}

bool is_same_file(int fd, int directory, const std::string& name) {
  struct stat a {};
  struct stat b {};
  return ::fstat(fd, &a) == 0 && ::fstatat(directory, name.c_str(), &b, AT_SYMLINK_NOFOLLOW) == 0 &&
         a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

// As open_object(); EAGAIN if it was replaced meanwhile.
int try_open_object(int directory, const std::string& name, bool to_read, OpenedObject& out) {
  // O_NONBLOCK: a pipe planted in the tree must not hold us up.
  const int fd = ::openat(directory, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno;
  out.entry = FileDescriptor(fd);
  if (::fstat(fd, &out.about) != 0) return errno;
  if (S_ISREG(out.about.st_mode)) return 0;
  if (!S_ISDIR(out.about.st_mode)) return ENOENT;
  // Only who has taken it away already locks it against us. Without locks (some network file systems) it can be read
  // all the same, as long as it stands.
  if (to_read && ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) return EAGAIN;
  const int error = file::open_regular(fd, kIndexName, out.index);
  if (error == ENOENT) return is_same_file(fd, directory, name) ? ENOENT : EAGAIN;
  if (error == 0 && ::fstat(out.index.get(), &out.about) != 0) return errno;
  return error;
}

// Opens what stands there: a file, or a directory with its index. ENOENT if it is no object. With `to_read`, segments
// are kept from being cleared away for as long as `entry` is open.
int open_object(int directory, const std::string& name, bool to_read, OpenedObject& out) {
  int error = EAGAIN;
  for (int attempt = 0; error == EAGAIN && attempt < kAttempts; ++attempt) {
    out = {};
    error = try_open_object(directory, name, to_read, out);
  }
  return error;
}

// What there is to say of an object that open_object() has opened; nullopt if its index is damaged.
std::optional<ObjectInfo> info_of(const std::string& key, const OpenedObject& found) {
  if (!found.index) return describe(key, found.about, found.about.st_size);
  std::array<char, kIndexHeadBytes> head{};
  std::int64_t got = 0;
  if (file::read_at(found.index.get(), head.data(), kIndexHeadBytes, 0, got) != 0) return std::nullopt;
  const auto size = parse_index_size({head.data(), static_cast<std::size_t>(got)});
  if (!size) return std::nullopt;
  return describe(key, found.about, *size);
}

Error damaged_index(const std::string& key) {
  return external_error("store_denied",
                        fmt::format("the file {} of the object {} is damaged, or of another version", kIndexName, key),
                        false);
}

}  // namespace

ObjectInfo describe(const std::string& key, const struct stat& about, std::int64_t size) {
  const auto nanoseconds = std::chrono::seconds{about.st_mtim.tv_sec} + std::chrono::nanoseconds{about.st_mtim.tv_nsec};
  ObjectInfo info;
  info.key = key;
  info.size = size;
  info.etag = fmt::format("{:x}-{:x}", nanoseconds.count(), size);
  info.modified = Timestamp{std::chrono::floor<Duration>(nanoseconds)};
  return info;
}

ObjectTree::ObjectTree(std::string root, FileDescriptor directory, int temporaries, StepObserver on_step)
    : root_(std::move(root)),
      directory_(std::move(directory)),
      temporaries_(temporaries),
      on_step_(std::move(on_step)) {}

void ObjectTree::step(std::string_view name) const {
  if (on_step_) on_step_(name);
}

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
    if (holds_index(next.get())) return EEXIST;
    at = std::move(next);
    begin = slash + 1;
  }
  out = {std::move(at), key.substr(begin)};
  return 0;
}

int ObjectTree::find(const std::string& key, bool to_read, OpenedObject& out) const {
  Place place;
  const int error = find_place(key, place);
  return error == 0 ? open_object(place.directory.get(), place.name, to_read, out) : error;
}

Result<std::shared_ptr<const ReadableObject>> ObjectTree::open(const std::string& key) const {
  OpenedObject found;
  const int error = find(key, true, found);
  if (means_absent(error)) return fail(object_not_found(key));
  if (error != 0) return fail(file::store_error(root_, "open the object " + key, error));
  if (!found.index) {
    auto info = describe(key, found.about, found.about.st_size);
    return std::make_shared<const ReadableObject>(std::move(info), std::move(found.entry));
  }
  std::string text;
  if (const int failed = file::read_small(found.index.get(), text)) {
    return fail(file::store_error(root_, "read the index of the object " + key, failed));
  }
  const auto size = parse_index_size(text);
  const auto segments = parse_index(text);
  if (!size || !segments) return fail(damaged_index(key));
  return std::make_shared<const ReadableObject>(describe(key, found.about, *size), std::move(found.entry), *segments);
}

Result<ObjectInfo> ObjectTree::head(const std::string& key) const {
  OpenedObject found;
  const int error = find(key, false, found);
  if (means_absent(error)) return fail(object_not_found(key));
  if (error != 0) return fail(file::store_error(root_, "look at the object " + key, error));
  auto info = info_of(key, found);
  if (!info) return fail(damaged_index(key));
  return *std::move(info);
}

Status ObjectTree::publish(int from_directory, const std::string& from_name, const std::string& key) const {
  // Again if a directory goes between making and using it: remove() clears away what is empty.
  for (int attempt = 0;; ++attempt) {
    Place place;
    std::string displaced;
    int error = make_place(key, place);
    if (error == 0) error = replace(from_directory, from_name, place, displaced);
    if (error == 0) error = file::sync(place.directory.get());
    if (error == 0) {
      step("publish.renamed");
      if (!displaced.empty()) error = file::remove_unless_locked(temporaries_, displaced);
    }
    if (error == 0) return {};
    struct stat about {};
    if (error == ENOENT && ::fstatat(from_directory, from_name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail(object_not_found(key));
    }
    if (error != ENOENT || attempt >= kAttempts) {
      return fail(file::store_error(root_, "publish the object " + key, error));
    }
  }
}

// Moves a new object to its place. An older one that did not vanish by that is in the directory of temporaries as
// `displaced`.
int ObjectTree::replace(int from_directory, const std::string& from_name, const Place& place,
                        std::string& displaced) const {
  const int to = place.directory.get();
  if (::renameat(from_directory, from_name.c_str(), to, place.name.c_str()) == 0) return 0;
  const int in_the_way = errno;
  if (in_the_way != EISDIR && in_the_way != ENOTDIR && in_the_way != ENOTEMPTY && in_the_way != EEXIST)
    return in_the_way;
  if (!is_replaceable(to, place.name)) return in_the_way;
  int error = file::exchange(from_directory, from_name, to, place.name);
  if (error == 0) {
    step("publish.exchanged");
    if (is_replaceable(from_directory, from_name)) {
      error = take_away(from_directory, from_name, displaced);
      // A sweep was faster, or an abort.
      if (error == ENOENT) displaced.clear();
      return error == ENOENT ? 0 : error;
    }
    // The object went meanwhile and keys came below its name: they get their place back.
    error = file::exchange(from_directory, from_name, to, place.name);
    return error == 0 ? in_the_way : error;
  }
  if (error != EINVAL && error != ENOSYS) return error;
  if (error = take_away(to, place.name, displaced); error != 0) return error;
  return ::renameat(from_directory, from_name.c_str(), to, place.name.c_str()) == 0 ? 0 : errno;
}

int ObjectTree::take_away(int directory, const std::string& name, std::string& taken) const {
  taken = uuid_v7(SystemClock{}.now());
  return ::renameat(directory, name.c_str(), temporaries_, taken.c_str()) == 0 ? 0 : errno;
}

Status ObjectTree::remove(const std::string& key) const {
  Place place;
  std::string taken;
  int error = find_place(key, place);
  if (error == 0 && ::unlinkat(place.directory.get(), place.name.c_str(), 0) != 0) error = errno;
  if (error == EISDIR) {
    // The beginning of other keys is not an object.
    if (!is_replaceable(place.directory.get(), place.name)) return {};
    error = take_away(place.directory.get(), place.name, taken);
  }
  if (error == 0) error = file::sync(place.directory.get());
  if (error == 0 && !taken.empty()) {
    step("remove.taken");
    error = file::remove_unless_locked(temporaries_, taken);
  }
  if (means_absent(error)) return {};
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
  // As parts of keys: with its slash, a directory sorts where the keys below it do ("a-b" < "a/b" < "a0"). Whether it
  // is an object instead, with a key of its own, shows when its turn comes.
  std::vector<std::string> keys;
  for (const file::Entry& entry : entries) {
    std::string key = path + entry.name;
    if ((entry.is_directory || entry.is_regular) && listing.wants_object(key)) keys.push_back(key);
    if (!entry.is_directory) continue;
    key += '/';
    if (listing.wants_below(key)) keys.push_back(std::move(key));
  }
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) {
    if (listing.found.size() >= listing.limit) return 0;
    const std::string name = key.substr(path.size());
    if (name.ends_with('/')) {
      if (const int error = walk_below(directory, key, name.substr(0, name.size() - 1), listing)) return error;
    } else if (OpenedObject found; check_object_key(key) && open_object(directory, name, false, found) == 0) {
      if (auto info = info_of(key, found)) listing.found.push_back(*std::move(info));
    }
  }
  return 0;
}

// Walks a directory unless it is an object.
int ObjectTree::walk_below(int directory, const std::string& path, const std::string& name, Listing& listing) const {
  FileDescriptor below;
  const int error = file::open_directory(directory, name, below);
  if (means_absent(error)) return 0;
  if (error != 0) return error;
  return holds_index(below.get()) ? 0 : walk(below.get(), path, listing);
}

Result<std::vector<ObjectInfo>> ObjectTree::list(const std::string& prefix, const std::string& after, int limit) const {
  if (limit <= 0) return std::vector<ObjectInfo>{};
  Listing listing{prefix, after, static_cast<std::size_t>(limit), {}};
  // The prefix's directories are gone to without reading those above them.
  const auto slash = prefix.rfind('/');
  const std::string path = slash == std::string::npos ? std::string{} : prefix.substr(0, slash + 1);
  Place place;
  int error = find_place(path + "x", place);
  // No key lies below an object.
  if (error == 0 && holds_index(place.directory.get())) return std::vector<ObjectInfo>{};
  if (error == 0) error = walk(place.directory.get(), path, listing);
  if (error != 0 && !means_absent(error)) {
    return fail(file::store_error(root_, fmt::format("list objects beginning with \"{}\"", prefix), error));
  }
  return std::move(listing.found);
}

}  // namespace longshore
