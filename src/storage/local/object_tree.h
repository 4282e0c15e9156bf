#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "storage/local/file_descriptor.h"
#include "storage/object_store.h"

namespace longshore {

/// What the file system says of an object. The ETag is the time of the last change (nanoseconds) and the size, in
/// hexadecimal: it changes with every version and survives `cp -a`, rsync and most backups, as an inode number or an
/// extended attribute would not. Where a restore does round the times, clients fetch once more and nothing else
/// happens.
ObjectInfo describe(const std::string& key, const struct stat& about);

/// The directory that holds the finished objects, each a plain file at the path that its key spells.
///
/// No key leads out of it: paths are walked one segment at a time with openat(O_NOFOLLOW) from the directory's
/// descriptor, so neither `..` (which a valid key cannot hold) nor a symbolic link planted inside is ever followed.
/// That is what openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) does, on every kernel, and writing must walk anyway to
/// make directories. Keys given here must be valid. Thread-safe, also among processes.
class ObjectTree {
 public:
  /// `directory` is root/objects; `root` is for error messages.
  ObjectTree(std::string root, FileDescriptor directory);

  /// Errors: `object_not_found` and those of store_error().
  Result<FileDescriptor> open(const std::string& key) const;
  /// Moves a file, whose contents are durable, to its key; durable when it returns. Errors: `object_not_found` if the
  /// file is gone, and those of store_error().
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
  int walk(int directory, const std::string& path, Listing& listing) const;
  int remove_empty_directories(std::string key) const;

  std::string root_;
  FileDescriptor directory_;
};

}  // namespace longshore
