#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/local/file_descriptor.h"

namespace longshore::file {

// System calls as the local store needs them. They return 0 or an errno value, because what ENOENT means differs
// between callers; store_error() makes an Error of what is left. Names are single path segments: nothing here walks a
// path, and nothing follows a symbolic link.

/// What `error_number`, met while trying to `doing` ("write part 3 of …"), means for the store in directory `root`:
/// ENOSPC and EDQUOT `store_full` (external, retriable; says how much is free), EACCES, EPERM, EROFS, EFBIG and
/// anything unexpected in the way `store_denied` (external, final), others `store_unavailable` (external, retriable).
Error store_error(const std::string& root, std::string_view doing, int error_number);

int open_directory(int parent, const std::string& name, FileDescriptor& out);
/// Opens for reading what must be a regular file; ENOENT for whatever else stands there (a link, a pipe, a directory).
int open_regular(int parent, const std::string& name, FileDescriptor& out);
/// Makes a new file for writing, readable by its owner alone; EEXIST if there is one.
int create(int parent, const std::string& name, FileDescriptor& out);

/// Writes all of `bytes` at the file's position. The disk starts on each piece while the next is copied, so that the
/// fsync which follows finds little to wait for.
int write_all(int fd, std::string_view bytes);
/// As write_all() into a new file, but past the page cache (O_DIRECT) where the file system can: what is large and not
/// read soon pushes nothing else out of the machine's memory, and filling fresh pages costs more time than the disk
/// takes. What is left beyond whole blocks goes the usual way. Takes 1 MiB of memory meanwhile.
int write_uncached(int fd, std::string_view bytes);
/// Reads up to `length` bytes at `offset`; `got` is less only at the file's end.
int read_at(int fd, char* into, std::int64_t length, std::int64_t offset, std::int64_t& got);
/// The whole of a small file.
int read_small(int fd, std::string& out);
int read_small(int parent, const std::string& name, std::string& out);
int sync(int fd);
/// Sets the time of the last change to now in nanoseconds. The kernel stamps with its tick (4 ms), too coarse to tell
/// two quick versions of an object apart.
int stamp(int fd);

struct Entry {
  std::string name;
  bool is_directory = false;
  bool is_regular = false;
};
/// What is in a directory, in no order, but `.` and `..`.
int entries(int directory, std::vector<Entry>& out);
/// Removes a file, or a directory with all that is in it. 0 if it is not there.
int remove_tree(int parent, const std::string& name);
/// As remove_tree() in the directory of temporaries, but leaves to remove_abandoned() what somebody holds a lock on: a
/// reader of an object that was removed or replaced.
int remove_unless_locked(int temporaries, const std::string& name);
/// Exchanges two entries at once (renameat2, RENAME_EXCHANGE). EINVAL or ENOSYS where that cannot be done.
int exchange(int first_parent, const std::string& first, int second_parent, const std::string& second);

/// Claims a new entry in the directory of temporaries for this process, for as long as `fd` is open: what is there
/// without its writer's lock was left by a dead one, see remove_abandoned(). False: it was taken for such and is gone,
/// make another one.
bool claim_temporary(int fd);
/// Removes all entries of the directory of temporaries whose writers are gone; returns 0 or the first error. Any number
/// of processes may do so, whatever is written meanwhile. Where the file system has no locks, nothing is removed.
int remove_abandoned(int temporaries, int& removed);

/// A new file in the store's directory of temporaries; the destructor removes what was not moved away.
class Temporary {
 public:
  static Result<Temporary> make(const std::string& root, int directory);
  ~Temporary();
  Temporary(Temporary&& other) noexcept;
  Temporary& operator=(Temporary&&) = delete;

  int fd() const { return fd_.get(); }
  int directory() const { return directory_; }
  const std::string& name() const { return name_; }
  /// To be called once the file was renamed: it is no longer the destructor's.
  void moved() { directory_ = -1; }

 private:
  Temporary(int directory, std::string name, FileDescriptor fd);
  int directory_;
  std::string name_;
  FileDescriptor fd_;
};

/// Writes a small file under its final name, whole or not at all, durably.
Status write_small(const std::string& root, int temporaries, int directory, const std::string& name,
                   std::string_view bytes);

}  // namespace longshore::file
