#include "app/local_file.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "app/local_output.h"
#include "batch/column_types.h"

namespace longshore {

namespace {

class LocalFileWriter {
 public:
  LocalFileWriter(const LocalFileRequest& request, const LocalFileProgress& progress, const FileFrame& frame,
                  LocalOutput& output, std::stop_token stop)
      : request_(request), progress_(progress), frame_(frame), output_(output), stop_(std::move(stop)) {
    file_.total.fidelity.resize(request.spec.columns.size());
  }

  /// Prologue, partitions with glue between them, epilogue, as they come.
  Result<LocalFile> stream() {
    CHECK_OK(frame_.prologue({}, bytes_));
    std::vector<std::int64_t> offsets;
    for (const Partition& planned : request_.plan.partitions) {
      const std::size_t index = partitions_.size();
      const auto begin = [&]() -> Status {
        if (index > 0) CHECK_OK(frame_.glue(partitions_, index, bytes_));
        CHECK_OK(flush_to_output());
        offsets.push_back(output_.written());
        return {};
      };
      CHECK_OK(encode(planned.range, begin, [this] { return flush_to_output(); }));
      CHECK_OK(flush_to_output());
      partitions_.back().bytes = output_.written() - offsets.back();
    }
    return finish(offsets);
  }

  /// The partitions first, to where they can wait; then the file around them.
  Result<LocalFile> hold_back() {
    TRY(HeldBytes held, HeldBytes::make(output_.folder()));
    const auto put_aside = [&]() -> Status {
      CHECK_OK(held.append(bytes_.view()));
      bytes_.clear();
      return {};
    };
    for (const Partition& planned : request_.plan.partitions) {
      const std::int64_t before = held.size();
      CHECK_OK(encode(
          planned.range, [] { return Status(); }, put_aside));
      CHECK_OK(put_aside());
      partitions_.back().bytes = held.size() - before;
    }
    CHECK_OK(frame_.prologue(partitions_, bytes_));
    std::vector<std::int64_t> offsets;
    std::int64_t at = 0;
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
      if (i > 0) CHECK_OK(frame_.glue(partitions_, i, bytes_));
      CHECK_OK(flush_to_output());
      offsets.push_back(output_.written());
      CHECK_OK(held.copy_to(output_, at, partitions_[i].bytes));
      at += partitions_[i].bytes;
    }
    return finish(offsets);
  }

 private:
  /// Reads and encodes a range as the next partition. `begin` is called once it is known whether there are rows, before
  /// any byte is made; `flush` takes bytes_ after every batch.
  template <class Begin, class Flush>
  Status encode(const KeyRange& range, Begin begin, Flush flush) {
    const ExportSpec& spec = request_.spec;
    TRY(const std::unique_ptr<RowSource> rows,
        request_.source.open_scan({&spec, range, BatchLimits{}, "local"}, stop_));
    TRY(const std::unique_ptr<PartitionEncoder> encoder, request_.formats.make_encoder_at(spec, {}, next_place()));
    RowBatch batch(column_types(spec));
    TRY(bool more, rows->next(batch));
    ChunkSummary summary;
    summary.rows = more ? static_cast<std::int64_t>(batch.row_count()) : 0;
    partitions_.push_back({summary, 0});
    CHECK_OK(begin());
    summary = {};
    while (more) {
      TRY(const std::optional<ChunkSummary> closed, encoder->encode(batch, bytes_));
      if (closed) summary.append(*closed);
      rows_read_ += static_cast<std::int64_t>(batch.row_count());
      encoded_ += static_cast<std::int64_t>(bytes_.size());
      CHECK_OK(flush());
      progress_(rows_read_, encoded_);
      TRY(more, rows->next(batch));
    }
    TRY(const std::optional<ChunkSummary> closed, encoder->finish(bytes_));
    if (closed) summary.append(*closed);
    file_.total.append(summary);
    partitions_.back().summary = std::move(summary);
    return {};
  }

  /// Exact, since the partitions before it are finished. Of its own rows only the most is known: with sheets, a
  /// partition that follows another is taken to need one of its own.
  PartitionPlace next_place() const {
    PartitionPlace place;
    for (const EncodedPartition& one : partitions_) place.rows_before.push_back(one.summary.rows);
    place.rows = request_.formats.find(request_.spec.format)->traits().sheet_rows;
    return place;
  }

  Status flush_to_output() {
    CHECK_OK(output_.write(bytes_.view()));
    bytes_.clear();
    return {};
  }

  Result<LocalFile> finish(const std::vector<std::int64_t>& offsets) {
    CHECK_OK(frame_.epilogue(partitions_, offsets, bytes_));
    CHECK_OK(flush_to_output());
    CHECK_OK(output_.publish());
    file_.bytes = output_.written();
    return std::move(file_);
  }

  const LocalFileRequest& request_;
  const LocalFileProgress& progress_;
  const FileFrame& frame_;
  LocalOutput& output_;
  const std::stop_token stop_;
  ByteBuffer bytes_;
  std::vector<EncodedPartition> partitions_;
  LocalFile file_;
  std::int64_t rows_read_ = 0;
  std::int64_t encoded_ = 0;
};

}  // namespace

Result<LocalFile> write_local_file(const LocalFileRequest& request, const LocalFileProgress& progress,
                                   std::stop_token stop) {
  const Format* format = request.formats.find(request.spec.format);
  if (format == nullptr) return fail(internal_error("format_unknown", "no format " + request.spec.format));
  TRY(const std::unique_ptr<FileFrame> frame, request.formats.make_frame(request.spec));
  TRY(LocalOutput output, LocalOutput::open(request.output_path));
  LocalFileWriter writer(request, progress, *frame, output, std::move(stop));
  return format->traits().streamable ? writer.stream() : writer.hold_back();
}

}  // namespace longshore
