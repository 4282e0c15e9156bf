#include "assemble/file_assembler.h"

#include <utility>

#include "base/crash_point.h"
#include "base/digest.h"

namespace longshore {

namespace {

void add_part(AssembledFile& file, const FilePart& place, const Part& part) {
  file.parts.push_back({place.number, place.offset, place.size, part.sha256, part.crc32c});
  file.crc32c = crc32c_combine(file.crc32c, part.crc32c, static_cast<std::uint64_t>(place.size));
}

AssembledFile begin_file(const FileLayout& layout) {
  AssembledFile file;
  file.rows = layout.rows;
  file.bytes = layout.size;
  file.partition_offsets = layout.partition_offsets;
  file.fidelity = layout.fidelity;
  return file;
}

Part describe(std::string_view bytes) {
  Part part;
  part.bytes = static_cast<std::int64_t>(bytes.size());
  part.sha256 = sha256_hex(bytes);
  part.crc32c = crc32c(bytes);
  return part;
}

}  // namespace

Result<ByteBuffer> FileAssembler::gather(const FilePart& part, std::string_view head) {
  ByteBuffer bytes;
  bytes.reserve_back(static_cast<std::size_t>(part.size));
  for (const GlueSegment& segment : part.segments) {
    if (segment.head_key.empty()) {
      bytes.append(segment.bytes.view());
    } else if (!head.empty()) {
      bytes.append(head);
    } else {
      CHECK_OK(store_.get(segment.head_key, 0, segment.size, bytes));
    }
  }
  if (static_cast<std::int64_t>(bytes.size()) != part.size) {
    return fail(external_error("staged_head_damaged",
                               "part " + std::to_string(part.number) + " of export " + job_.id.str() + " gathers " +
                                   std::to_string(bytes.size()) + " bytes instead of " + std::to_string(part.size) +
                                   ": a staged object was changed or removed from outside",
                               false));
  }
  return bytes;
}

Result<AssembledFile> FileAssembler::write_whole(const FileLayout& layout, std::string_view head) {
  const FilePart& only = layout.parts.front();
  TRY(const ByteBuffer bytes, gather(only, head));
  crash_point("assemble.before_put");
  TRY(const ObjectInfo written, store_.put(job_.object_key, bytes.view(), ObjectOptions{content_type_}));
  (void)written;
  crash_point("assemble.after_put");
  AssembledFile file = begin_file(layout);
  add_part(file, only, describe(bytes.view()));
  return file;
}

Result<AssembledFile> FileAssembler::assemble_whole(const FileLayout& layout, std::string_view head) {
  if (layout.parts.size() != 1) return fail(internal_error("not_one_part", "the file has several parts"));
  return write_whole(layout, head);
}

Result<AssembledFile> FileAssembler::assemble(const FileLayout& layout, const std::vector<Part>& glued,
                                              const Checkpoint& checkpoint, std::stop_token stop) {
  if (layout.parts.size() == 1 && layout.parts.front().uploaded == nullptr) return write_whole(layout, {});

  const UploadRef upload{job_.object_key, job_.upload_id};
  AssembledFile file = begin_file(layout);
  std::vector<PartReceipt> receipts;
  std::size_t next_glued = 0;
  for (const FilePart& place : layout.parts) {
    if (stop.stop_requested()) {
      Error stopped = external_error("assembly_stopped", "the worker is shutting down");
      return fail(std::move(stopped));
    }
    if (place.uploaded != nullptr) {
      receipts.push_back({place.number, place.uploaded->etag, place.size});
      add_part(file, place, *place.uploaded);
      continue;
    }
    if (next_glued < glued.size()) {
      const Part& done = glued[next_glued++];
      if (done.number != place.number || done.bytes != place.size) {
        return fail(internal_error("layout_changed", "glued part " + std::to_string(done.number) + " of export " +
                                                         job_.id.str() + " does not fit the layout"));
      }
      receipts.push_back({done.number, done.etag, done.bytes});
      add_part(file, place, done);
      continue;
    }
    TRY(const ByteBuffer bytes, gather(place, {}));
    crash_point("assemble.before_part");
    TRY(const PartReceipt receipt, store_.upload_part(upload, place.number, bytes.view()));
    crash_point("assemble.after_part");
    Part part = describe(bytes.view());
    part.sequence = static_cast<int>(next_glued++);
    part.number = place.number;
    part.etag = receipt.etag;
    CHECK_OK(checkpoint(part));
    crash_point("assemble.after_checkpoint");
    receipts.push_back(receipt);
    add_part(file, place, part);
  }
  crash_point("assemble.before_complete");
  TRY(const ObjectInfo object, store_.complete_upload(upload, receipts));
  crash_point("assemble.after_complete");
  if (object.size != layout.size) {
    return fail(external_error("artefact_damaged",
                               "the store completed " + job_.object_key + " with " + std::to_string(object.size) +
                                   " bytes instead of " + std::to_string(layout.size),
                               false));
  }
  return file;
}

}  // namespace longshore
