#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/local/file_descriptor.h"
#include "storage/local/readable_object.h"
#include "storage/object_store.h"

namespace longshore {

/// Called between steps whose effects are seen by others or outlive the process, with the step's name.
using StepObserver = std::function<void(std::string_view step)>;

/// What the file system says of an object of `size` bytes. The ETag is the time of the last change (nanoseconds) and
/// the size, in hexadecimal: it changes with every version and survives `cp -a`, rsync and most backups, as an inode
/// number or an extended attribute would not. Where a restore does round the times, clients fetch once more and nothing
/// else happens.
ObjectInfo describe(const std::string& key, const struct stat& about, std::int64_t size);

/// The files of an object, opened.
struct OpenedObject {
  FileDescriptor entry;  ///< the plain file, or the directory
  FileDescriptor index;  ///< none for a plain file
  struct stat about {};  ///< of the file or the index
};

/// The directory that holds the finished objects, each at the path that its key spells: a plain file (what was put), or
/// a directory of segments with an index, whose time is the object's (what was uploaded in parts; see segment.h). Keys
/// below an object's directory are refused like those below a plain file.
///
/// No key leads out of it: paths are walked one segment at a time with openat(O_NOFOLLOW) from the directory's
/// descriptor, so neither `..` (which a valid key cannot hold) nor a symbolic link planted inside is ever followed.
/// That is what openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) does, on every kernel, and writing must walk anyway to
/// make directories. Keys given here must be valid. Thread-safe, also among processes.
///
/// Readers find an object, the one before it, or the one after it, never nothing in between: an object takes the place
/// of another by one rename, or by an exchange if one of them is a directory. (Where the file system cannot exchange
/// entries, the old one is taken away first.) What was replaced or removed goes to the directory of temporaries at
/// once, and is cleared away there as soon as nobody reads it.
class ObjectTree {
 public:
  /// `directory` is root/objects; `temporaries`, borrowed, root/tmp; `root` is for error messages.
  ObjectTree(std::string root, FileDescriptor directory, int temporaries, StepObserver on_step);

  /// Errors: `object_not_found`, `store_denied` for a damaged index, and those of store_error().
  Result<std::shared_ptr<const ReadableObject>> open(const std::string& key) const;
  /// As open(), of an object that is not to be read.
  Result<ObjectInfo> head(const std::string& key) const;
  /// Moves a file, or a directory of segments, whose contents are durable to its key; durable when it returns. Errors:
  /// `object_not_found` if what to move is gone, and those of store_error().
  Status publish(int from_directory, const std::string& from_name, const std::string& key) const;
  /// Removes the object and the directories that become empty by it.
  Status remove(const std::string& key) const;
  /// As ObjectStore::list(). Reads only directories that can hold a key asked for; what is in memory is one directory
  /// for each level.
  Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& after, int limit) const;

 private:
  struct Listing;
  struct Place {
    FileDescriptor directory;
    std::string name;
  };
  int find_place(const std::string& key, Place& out) const;
  int make_place(const std::string& key, Place& out) const;
  int find(const std::string& key, bool to_read, OpenedObject& out) const;
  int replace(int from_directory, const std::string& from_name, const Place& place, std::string& displaced) const;
  int take_away(int directory, const std::string& name, std::string& taken) const;
  int walk(int directory, const std::string& path, Listing& listing) const;
  int walk_below(int directory, const std::string& path, const std::string& name, Listing& listing) const;
  int remove_empty_directories(std::string key) const;
  void step(std::string_view name) const;

  std::string root_;
  FileDescriptor directory_;
  int temporaries_;
  StepObserver on_step_;
};

}  // namespace longshore
