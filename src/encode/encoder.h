#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "base/result.h"
#include "batch/row_batch.h"
#include "model/chunk_summary.h"
#include "model/export_spec.h"

namespace longshore {

/// Turns the batches of one partition into bytes. One per partition, one thread. Same batches in, same bytes out.
///
/// The output is a row of *chunks*: self-contained runs of whole rows at whose borders the file may be cut into parts
/// and an export may resume with a fresh encoder. A text format closes a chunk with every batch; Parquet with every row
/// group.
class PartitionEncoder {
 public:
  virtual ~PartitionEncoder() = default;
  /// Takes a batch; appends to `out` whatever bytes are ready. Returns a summary when these bytes close a chunk (it
  /// covers all bytes since the last closed one), nullopt while a chunk is open.
  virtual Result<std::optional<ChunkSummary>> encode(const RowBatch& batch, ByteBuffer& out) = 0;
  /// Closes the open chunk, if there is one. REQUIRES: no encode() after it.
  virtual Result<std::optional<ChunkSummary>> finish(ByteBuffer& out) = 0;
};

/// A partition whose bytes are all there.
struct EncodedPartition {
  ChunkSummary summary;    ///< of all its chunks
  std::int64_t bytes = 0;  ///< as they stand in the file
};

/// The bytes of a file that belong to no partition. Everything is a pure function of its arguments, called at assembly,
/// when all partitions are known.
class FileFrame {
 public:
  virtual ~FileFrame() = default;
  /// Bytes before the first partition, e.g. a header row. `partitions`: all of them, in order; none when there are
  /// none, and when the file of a streamable format is streamed and they are not known yet.
  virtual Status prologue(const std::vector<EncodedPartition>& partitions, ByteBuffer& out) const = 0;
  /// Bytes between partition `index` - 1 and partition `index` (>= 1), e.g. a comma. In a streamed file nothing more is
  /// known of partition `index` than whether it has rows, and nothing of those after it.
  virtual Status glue(const std::vector<EncodedPartition>& partitions, std::size_t index, ByteBuffer& out) const = 0;
  /// Bytes after the last partition. `offsets`: where each partition begins in the file, in bytes.
  virtual Status epilogue(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>& offsets,
                          ByteBuffer& out) const = 0;
};

/// What is certain of a partition's place in the file before its rows are read. Formats that number their rows (XLSX)
/// need it; files are whole without it, but then their rows have no numbers, which some readers (exceljs) want.
///
/// Counts must hold for the rows that are, or will be, read: counted in the snapshot that is read, or by encoders that
/// have finished. A count that turns out wrong fails the export at assembly.
struct PartitionPlace {
  std::vector<std::int64_t> rows_before;  ///< of each partition before this one, in order
  std::int64_t rows = 0;                  ///< its own, at most; of no interest for the first partition
};

/// What a format can do; shown by `GET /v1/datasets` and checked when a request comes.
struct FormatTraits {
  std::string name;                     ///< `csv`
  std::string extension;                ///< `csv`, without a dot
  std::string content_type;             ///< `text/csv; charset=utf-8`
  bool parallel = true;                 ///< partitions may be encoded apart
  bool compressible = true;             ///< gzip and zstd make sense around it
  bool streamable = true;               ///< prologue and glue need nothing of the partitions that follow
  std::int64_t max_rows = 0;            ///< of a file; 0: no limit
  std::int64_t max_partition_rows = 0;  ///< of a partition, which is then planned by exact counts; 0: no limit
  std::int64_t sheet_rows = 0;          ///< that whole partitions in a row may put on a sheet; 0: there are no sheets
  std::int64_t encoder_memory = 0;      ///< bytes an encoder holds at most besides its output, above a text format's
  double size_factor = 1;               ///< bytes of the file for each byte of the cells' text; rough, for estimates
};

/// One file format: the factory of its encoders and frames. Stateless, thread-safe.
class Format {
 public:
  virtual ~Format() = default;
  virtual const FormatTraits& traits() const = 0;
  /// `before`: the chunks that earlier encoders of this partition closed, joined; empty at the partition's beginning.
  virtual Result<std::unique_ptr<PartitionEncoder>> make_encoder(const ExportSpec& spec,
                                                                 const ChunkSummary& before) const = 0;
  /// The same for a partition whose place is known. It may be left out for any partition; where `before` is not empty
  /// it is ignored.
  virtual Result<std::unique_ptr<PartitionEncoder>> make_encoder_at(const ExportSpec& spec, const ChunkSummary& before,
                                                                    const PartitionPlace&) const {
    return make_encoder(spec, before);
  }
  virtual Result<std::unique_ptr<FileFrame>> make_frame(const ExportSpec& spec) const = 0;
};

/// The formats of this build, by name. Built in app/, never by static registration.
class FormatTable {
 public:
  void add(std::unique_ptr<Format> format);
  /// nullptr when there is no such format. Case-sensitive; requests are lowered before.
  const Format* find(const std::string& name) const;
  std::vector<const Format*> all() const;

  /// The encoder and frame for a spec, compression included: compression wraps the format's output.
  Result<std::unique_ptr<PartitionEncoder>> make_encoder(const ExportSpec& spec, const ChunkSummary& before) const;
  Result<std::unique_ptr<PartitionEncoder>> make_encoder_at(const ExportSpec& spec, const ChunkSummary& before,
                                                            const PartitionPlace& place) const;
  Result<std::unique_ptr<FileFrame>> make_frame(const ExportSpec& spec) const;
  /// `csv`, `csv.gz`, `jsonl.zst`.
  std::string extension(const ExportSpec& spec) const;
  /// Of the artefact: the format's own, or `application/gzip`, `application/zstd`.
  std::string content_type(const ExportSpec& spec) const;

 private:
  std::vector<std::unique_ptr<Format>> formats_;
};

}  // namespace longshore
