#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "encode/encoder.h"
#include "model/job.h"

namespace longshore {

/// A finished partition and its checkpoints in sequence order (the first is the head; none: no rows).
struct FinishedPartition {
  Partition partition;
  std::vector<Part> parts;
};

/// A run of bytes of a glued part: bytes that only assembly knows, or the staged head of a partition.
struct GlueSegment {
  ByteBuffer bytes;      ///< used when there is no head
  std::string head_key;  ///< key of the staged head that goes here; empty: `bytes`
  std::int64_t size = 0;
};

/// One part of the finished file, in file order: glued from segments, or uploaded already.
struct FilePart {
  int number = 0;
  std::int64_t offset = 0;  ///< in the file
  std::int64_t size = 0;
  std::vector<GlueSegment> segments;  ///< empty: uploaded already
  const Part* uploaded = nullptr;     ///< points into the partitions given to make_layout()
};

/// How the finished file is put together; a pure function of the checkpoints, so that an assembly that crashed goes on
/// where it was.
struct FileLayout {
  std::vector<FilePart> parts;
  std::vector<std::int64_t> partition_offsets;  ///< where each partition's bytes begin in the file
  std::int64_t size = 0;
  std::int64_t rows = 0;
  std::vector<ColumnFidelity> fidelity;  ///< one for each column
};

/// Lays the file out. Bytes that are known only now (prologue, glue, epilogue) and heads are gathered until a partition
/// goes on with uploaded parts or `part_size` is reached, so every glued part but the last holds at least 5 MiB.
/// REQUIRES: partitions in index order, all completed.
Result<FileLayout> make_layout(const std::vector<FinishedPartition>& partitions, const FileFrame& frame,
                               std::size_t column_count, std::int64_t part_size);

/// Where the head of a partition is staged. All staged objects of a job share the prefix staging_prefix(). The epoch of
/// the claim is part of the key, so that a worker that lost its claim cannot touch its successor's head.
std::string staged_head_key(const JobId& job, int partition, std::int64_t epoch);
std::string staging_prefix(const JobId& job);
/// The prefix of all staged objects, and the job that a staged key belongs to (empty when it is no such key).
inline constexpr const char* kStagingRoot = "staging/";
JobId job_of_staged_key(const std::string& key);
/// The epoch of the claim that wrote a staged head; 0 when it is no such key.
std::int64_t epoch_of_staged_key(const std::string& key);

}  // namespace longshore
