#pragma once

#include <functional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "assemble/file_layout.h"
#include "base/result.h"
#include "model/job.h"
#include "storage/object_store.h"

namespace longshore {

/// A part of the finished file with its checksums, as the manifest shows it.
struct AssembledPart {
  int number = 0;
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  std::string sha256;
  std::uint32_t crc32c = 0;
};

struct AssembledFile {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::uint32_t crc32c = 0;  ///< of the whole file, combined from the parts
  std::vector<AssembledPart> parts;
  std::vector<std::int64_t> partition_offsets;
  std::vector<ColumnFidelity> fidelity;
};

/// Makes one object of a job's parts and staged heads. Only glued parts are written; nothing is read twice.
class FileAssembler {
 public:
  /// Called after each glued part is durable (a checkpoint of the assembly); an error stops the assembly.
  using Checkpoint = std::function<Status(const Part& glued)>;

  FileAssembler(ObjectStore& store, const ExportJob& job, std::string content_type)
      : store_(store), job_(job), content_type_(std::move(content_type)) {}

  /// `glued`: the glued parts that an earlier assembly of this job left, in order. A file of one part is written as one
  /// object instead, without the multipart upload. May be repeated after any failure.
  /// Errors: those of the store; `assembly_stopped` (retriable) when `stop` is requested.
  Result<AssembledFile> assemble(const FileLayout& layout, const std::vector<Part>& glued, const Checkpoint& checkpoint,
                                 std::stop_token stop);

  /// Writes a file of a single glued part whose only head is given here instead of staged.
  Result<AssembledFile> assemble_whole(const FileLayout& layout, std::string_view head);

 private:
  Result<ByteBuffer> gather(const FilePart& part, std::string_view head);
  Result<AssembledFile> write_whole(const FileLayout& layout, std::string_view head);

  ObjectStore& store_;
  const ExportJob& job_;
  std::string content_type_;
};

}  // namespace longshore
