#include "storage/local/readable_object.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "storage/local/file_operations.h"

namespace longshore {
namespace {

Error cannot_read(const std::string& key, int error_number) {
  return external_error("store_unavailable", fmt::format("cannot read the object {}: {}", key,
                                                         std::generic_category().message(error_number)));
}

}  // namespace

ReadableObject::ReadableObject(ObjectInfo info, FileDescriptor file)
    : info_(std::move(info)), pieces_(1), open_file_(std::make_shared<const FileDescriptor>(std::move(file))) {}

ReadableObject::ReadableObject(ObjectInfo info, FileDescriptor directory, std::span<const Segment> segments)
    : info_(std::move(info)), directory_(std::move(directory)) {
  pieces_.reserve(segments.size());
  std::int64_t begin = 0;
  for (const Segment& segment : segments) {
    pieces_.push_back({begin, segment.number, segment.crc32c});
    begin += segment.bytes;
  }
}

std::int64_t ReadableObject::end_of(std::size_t piece) const {
  return piece + 1 < pieces_.size() ? pieces_[piece + 1].begin : info_.size;
}

Result<std::int64_t> ReadableObject::read(char* into, std::int64_t length, std::int64_t offset) const {
  std::int64_t done = 0;
  while (done < length && offset + done < info_.size) {
    TRY(const Run run, run_at(offset + done));
    const std::int64_t wanted = std::min(length - done, run.length);
    std::int64_t got = 0;
    if (const int error = file::read_at(run.file->get(), into + done, wanted, run.offset, got)) {
      return fail(cannot_read(info_.key, error));
    }
    if (got == 0) break;
    done += got;
  }
  return done;
}

Result<ReadableObject::Run> ReadableObject::run_at(std::int64_t offset) const {
  const auto after = std::ranges::upper_bound(pieces_, offset, {}, &Piece::begin);
  const auto piece = static_cast<std::size_t>(after - pieces_.begin()) - 1;
  Run run{nullptr, offset - pieces_[piece].begin, end_of(piece) - offset};
  const std::lock_guard lock(mutex_);
  if (open_file_ == nullptr || open_piece_ != piece) {
    TRY(open_file_, open(piece));
    open_piece_ = piece;
  }
  run.file = open_file_;
  return run;
}

Result<std::shared_ptr<const FileDescriptor>> ReadableObject::open(std::size_t piece) const {
  const std::string name = segment_name(pieces_[piece].number, pieces_[piece].crc32c);
  FileDescriptor file;
  struct stat about {};
  int error = file::open_regular(directory_.get(), name, file);
  if (error == ENOENT) {
    return fail(external_error(
        "object_not_found",
        fmt::format("the segment {} of the object {} has gone: it was removed meanwhile", name, info_.key), false));
  }
  if (error == 0 && ::fstat(file.get(), &about) != 0) error = errno;
  if (error != 0) return fail(cannot_read(info_.key, error));
  const std::int64_t bytes = end_of(piece) - pieces_[piece].begin;
  if (about.st_size != bytes) {
    return fail(external_error("store_denied",
                               fmt::format("the segment {} of the object {} is damaged: it has {} bytes instead of {}",
                                           name, info_.key, about.st_size, bytes),
                               false));
  }
  return std::make_shared<const FileDescriptor>(std::move(file));
}

bool ReadableObject::consists_of(std::span<const PartReceipt> parts) const {
  if (!directory_ || parts.size() != pieces_.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Segment segment{pieces_[i].number, pieces_[i].crc32c, end_of(i) - pieces_[i].begin};
    if (segment_of(parts[i]) != segment) return false;
  }
  return true;
}

}  // namespace longshore
