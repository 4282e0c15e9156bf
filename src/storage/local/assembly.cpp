#include "storage/local/assembly.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "storage/local/file_operations.h"
#include "storage/multipart_rules.h"

namespace longshore {
namespace {

bool same(const PartReceipt& a, const PartReceipt& b) {
  return a.number == b.number && a.etag == b.etag && a.bytes == b.bytes;
}

int size_of(int fd, std::int64_t& out) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return errno;
  out = about.st_size;
  return 0;
}

}  // namespace

Assembly::Assembly(const UploadDirectory& upload, const ObjectTree& objects, const LocalStoreOptions& options)
    : upload_(upload), objects_(objects), options_(options) {}

void Assembly::step(std::string_view name) const {
  if (options_.on_step) options_.on_step(name);
}

Result<ObjectInfo> Assembly::run(std::span<const PartReceipt> parts) {
  TRY(plan_, upload_.read_plan());
  CHECK_OK(locate(parts));
  CHECK_OK(open_target(parts));
  auto object = copy_and_publish(parts);
  // Give the space of a failed attempt back, unless parts live nowhere else by now.
  if (!object && !plan_is_ours_) ::unlinkat(upload_.fd(), target_name_.c_str(), 0);
  return object;
}

Result<ObjectInfo> Assembly::copy_and_publish(std::span<const PartReceipt> parts) {
  while (next_ < parts.size()) {
    CHECK_OK(copy_part(next_, parts[next_]));
    ++next_;
    step("complete.copied");
    if (may_release_ && offset_ - durable_ >= options_.release_window) CHECK_OK(release(parts, next_));
  }
  return publish(offset_);
}

// Where is each part, and is it the one that the receipt speaks of?
Status Assembly::locate(std::span<const PartReceipt> parts) {
  FileDescriptor old;
  std::int64_t old_size = -1;
  for (const PartReceipt& part : parts) {
    TRY(const auto found, upload_.find_part(part.number));
    if (found.bytes < 0) {
      TRY(const auto source, locate_in_plan(parts, part, old, old_size));
      sources_.push_back(source);
    } else if (found.etag == part.etag && found.bytes == part.bytes) {
      sources_.push_back({true, 0});
    } else {
      return fail(
          part_mismatch(upload_.upload(), part, fmt::format("there are {} with ETag {}", found.bytes, found.etag)));
    }
  }
  old_assembly_ = std::move(old);
  return {};
}

Result<Assembly::Source> Assembly::locate_in_plan(std::span<const PartReceipt> parts, const PartReceipt& part,
                                                  FileDescriptor& old_assembly, std::int64_t& old_size) const {
  if (!old_assembly) {
    int failed = file::open_regular(upload_.fd(), "assembly", old_assembly);
    if (failed == 0) failed = size_of(old_assembly.get(), old_size);
    // A part was removed, so there was an assembly; it became the object, and only clearing away is left to do.
    if (failed == ENOENT && std::ranges::equal(plan_, parts, same)) return fail(upload_not_found(upload_.upload()));
    if (failed != 0 && failed != ENOENT) return fail(upload_.error("open the assembly", failed));
  }
  std::int64_t offset = 0;
  for (const PartReceipt& planned : plan_) {
    if (same(planned, part) && offset + part.bytes <= old_size) return Source{false, offset};
    offset += planned.bytes;
  }
  return fail(part_mismatch(upload_.upload(), part, "there is no such part"));
}

Status Assembly::open_target(std::span<const PartReceipt> parts) {
  const auto is_missing = [](const Source& source) { return !source.is_file; };
  const auto last_missing = std::find_if(sources_.rbegin(), sources_.rend(), is_missing);
  const bool nothing_missing = last_missing == sources_.rend();
  plan_is_ours_ = !nothing_missing && std::ranges::equal(plan_, parts, same);
  may_release_ = nothing_missing || plan_is_ours_;
  target_name_ = may_release_ ? "assembly" : "assembly-other";

  const int fd = ::openat(upload_.fd(), target_name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(upload_.error("open the assembly", errno));
  target_ = FileDescriptor(fd);
  if (plan_is_ours_) {
    next_ = released_ = static_cast<std::size_t>(sources_.rend() - last_missing);
    offset_ = durable_ = total_bytes(parts.first(next_));
  }
  if (::ftruncate(fd, offset_) != 0) return fail(upload_.error("cut the assembly", errno));
  return {};
}

Status Assembly::copy_part(std::size_t index, const PartReceipt& part) {
  const Source& source = sources_[index];
  FileDescriptor file;
  if (source.is_file) {
    TRY(file, upload_.open_part(part.number));
  }
  const int from = source.is_file ? file.get() : old_assembly_.get();
  if (const int failed = file::copy(from, source.offset, target_.get(), offset_, part.bytes)) {
    return fail(upload_.error(fmt::format("assemble part {}", part.number), failed));
  }
  file::start_writeback(target_.get(), offset_, part.bytes);
  offset_ += part.bytes;
  return {};
}

// Removes the files of the parts before index `end`.
Status Assembly::release(std::span<const PartReceipt> parts, std::size_t end) {
  if (!plan_is_ours_) {
    // Before the sync, whose commit of the file system's journal then covers this as well. It also makes the
    // assembly's name durable.
    CHECK_OK(upload_.write_plan(parts));
    plan_is_ours_ = true;
    step("complete.planned");
  }
  if (const int failed = file::sync(target_.get())) return fail(upload_.error("write the assembly", failed));
  durable_ = offset_;
  for (; released_ < end; ++released_) {
    CHECK_OK(upload_.remove_part(parts[released_].number));
    step("complete.released");
  }
  return {};
}

Result<ObjectInfo> Assembly::publish(std::int64_t size) {
  struct stat about {};
  int failed = file::stamp(target_.get());
  if (failed == 0) failed = file::sync(target_.get());
  if (failed == 0 && ::fstat(target_.get(), &about) != 0) failed = errno;
  if (failed == 0 && about.st_size != size) failed = EIO;
  if (failed != 0) return fail(upload_.error("write the assembly", failed));
  step("complete.synced");
  auto published = objects_.publish(upload_.fd(), target_name_, upload_.upload().key);
  if (!published && published.error().code == "object_not_found") return fail(upload_not_found(upload_.upload()));
  if (!published) return fail(std::move(published).error());
  step("complete.published");
  return describe(upload_.upload().key, about);
}

}  // namespace longshore
