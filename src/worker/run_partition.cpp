#include "worker/run_partition.h"

#include <memory>
#include <utility>

#include "assemble/file_layout.h"
#include "base/crash_point.h"
#include "base/digest.h"
#include "batch/column_types.h"
#include "telemetry/log.h"
#include "worker/one_ahead.h"
#include "worker/part_cutter.h"
#include "worker/publish_export.h"

namespace longshore {

namespace {

/// Makes parts durable, one after the other: store first, then the checkpoint that says so. It works on one part while
/// the caller reads and encodes the next. Not for several threads.
class PartUploader {
 public:
  PartUploader(const PartitionWork& work, const WorkerRooms& rooms)
      : work_(work), rooms_(rooms), next_sequence_(static_cast<int>(work.parts.size())) {
    for (const Part& part : work.parts) count(part.summary.rows, part.bytes);
  }

  int next_sequence() const { return next_sequence_; }
  /// Of all parts, the one in hand included.
  std::int64_t rows() const { return rows_; }
  std::int64_t bytes() const { return bytes_; }
  std::int64_t target() const { return part_target(work_.job.part_size, next_sequence_, capacity()); }

  /// Copies the part and begins to make it durable. The error may be that of the part before.
  Status upload(const CutPart& cut) {
    CHECK_OK(background_.wait());
    if (next_sequence_ >= capacity()) {
      return fail(internal_error("partition_too_large", "partition " + std::to_string(work_.partition.index) +
                                                            " is more than four times as large as estimated and has no "
                                                            "part number left; ANALYZE the relation, or set "
                                                            "boundaries: exact in the catalog"));
    }
    bytes_in_hand_.clear();
    bytes_in_hand_.append(cut.bytes);
    Part part;
    part.sequence = next_sequence_++;
    part.number = part.sequence == 0 ? 0 : part_number(work_.partition, part.sequence, claims_before());
    part.bytes = static_cast<std::int64_t>(cut.bytes.size());
    part.last_key = cut.last_key;
    part.summary = cut.summary;
    count(part.summary.rows, part.bytes);
    background_.submit([this, part = std::move(part)]() mutable { return make_durable(std::move(part)); });
    return {};
  }

  /// Waits until everything is durable.
  Status finish() { return background_.wait(); }

 private:
  int capacity() const { return part_capacity(work_.partition.part_slots); }
  /// Those on this partition since it was planned: claims raise its epoch one by one.
  std::int64_t claims_before() const { return work_.claim.epoch - work_.job.stale_epoch - 1; }

  Status make_durable(Part part) {
    const std::string_view bytes = bytes_in_hand_.view();
    part.sha256 = sha256_hex(bytes);
    part.crc32c = crc32c(bytes);
    crash_point(part.sequence == 0 ? "partition.before_head" : "partition.before_part");
    TRY(part.etag, write(part, bytes));
    crash_point(part.sequence == 0 ? "partition.after_head" : "partition.after_part");
    const auto begun = rooms_.clock.steady_now();
    if (Status recorded = rooms_.queue.checkpoint(work_.claim, part); !recorded) {
      // Written after the claim was lost, and maybe after the job was cleaned. The key holds our epoch: it is nobody's.
      if (part.sequence == 0 && recorded.error().code == "claim_lost") (void)rooms_.store.remove(part.etag);
      return recorded;
    }
    crash_point("partition.after_checkpoint");
    rooms_.metrics.checkpoint_took(std::chrono::duration_cast<Duration>(rooms_.clock.steady_now() - begun));
    rooms_.metrics.part_uploaded(part.bytes);
    rooms_.metrics.exported(work_.job.spec.format, part.summary.rows, part.bytes);
    return {};
  }

  /// Writes the bytes where they belong and returns what the checkpoint keeps as `etag`.
  Result<std::string> write(const Part& part, std::string_view bytes) {
    if (part.sequence == 0) {
      const std::string key = staged_head_key(work_.job.id, work_.partition.index, work_.claim.epoch);
      TRY(const ObjectInfo staged, rooms_.store.put(key, bytes, ObjectOptions{}));
      return staged.key;
    }
    TRY(PartReceipt receipt,
        rooms_.store.upload_hashed_part({work_.job.object_key, work_.job.upload_id}, part.number, bytes, part.sha256));
    return std::move(receipt.etag);
  }

  void count(std::int64_t rows, std::int64_t bytes) {
    rows_ += rows;
    bytes_ += bytes;
  }

  const PartitionWork& work_;
  const WorkerRooms& rooms_;
  int next_sequence_;
  std::int64_t rows_ = 0;
  std::int64_t bytes_ = 0;
  ByteBuffer bytes_in_hand_;  ///< of the part that background_ works on
  OneAhead background_;       ///< last, so that it has ended before what it uses goes
};

/// What the checkpoints say of the rows that are done.
ChunkSummary summary_so_far(const PartitionWork& work) {
  ChunkSummary before;
  for (const Part& part : work.parts) before.append(part.summary);
  return before;
}

/// Where reading begins: after the last checkpoint, or at the partition's own beginning.
KeyRange remaining_range(const PartitionWork& work) {
  KeyRange range = work.partition.range;
  if (!work.parts.empty()) range.after = work.parts.back().last_key;
  return range;
}

/// Whether a single session reads the export as of one moment, so that it cannot be read on by another.
bool reads_one_moment(const PartitionWork& work, const WorkerRooms& rooms) {
  if (work.job.spec.consistency != Consistency::snapshot) return false;
  const auto source = rooms.sources.find(work.job.spec.dataset.source);
  return source && (*source)->reads_one_moment();
}

/// Notes the moment that a scan reads, for the manifest.
Status note_moment(PartitionWork& work, const RowSource& rows, const WorkerRooms& rooms) {
  if (rows.moment() == nullptr) return {};
  work.job.snapshot = *rows.moment();
  return rooms.snapshots.note_moment(work.claim, *work.job.snapshot);
}

Status read_and_upload(PartitionWork work, const WorkerRooms& rooms, LiveProgress& progress,
                       const std::stop_token& stop) {
  const ExportSpec& spec = work.job.spec;
  TRY(SourceDatabase* const source, rooms.sources.find(spec.dataset.source));
  const bool one_moment = reads_one_moment(work, rooms);
  if (one_moment && !work.parts.empty()) {
    return fail(external_error("snapshot_gone", "the session that read it ended before it had read all", true));
  }
  // Where a place matters, every partition begins one of its own; see plan_rules().
  TRY(const std::unique_ptr<PartitionEncoder> encoder,
      rooms.formats.make_encoder_at(spec, summary_so_far(work), PartitionPlace{}));
  PinnedSnapshot pinned;
  ScanRequest request{.spec = &spec,
                      .range = remaining_range(work),
                      .batch = BatchLimits{},
                      .label = "exp_" + work.job.id.str(),
                      .pressure = &progress.pressure};
  if (one_moment) {
    request.one_moment = true;
  } else if (spec.consistency == Consistency::snapshot && work.job.snapshot) {
    pinned = {work.job.snapshot->server, [&] { return rooms.snapshots.importable_snapshots(work.job.id); }};
    request.snapshot = &pinned;
  }
  if (spec.consistency == Consistency::materialized) {
    if (!work.job.snapshot) {
      return fail(internal_error("no_copy", "the export was planned without the copy that it is to be read from"));
    }
    request.copy = &*work.job.snapshot;
  }
  TRY(const std::unique_ptr<RowSource> rows, source->open_scan(request, stop));

  RowBatch batch(column_types(spec));
  PartCutter cutter;
  PartUploader uploader(work, rooms);
  std::int64_t rows_read = uploader.rows();
  KeyTuple last_key;
  bool noted = false;
  for (;;) {
    const auto begun = rooms.clock.steady_now();
    TRY(const bool more, rows->next(batch));
    if (!noted) CHECK_OK(note_moment(work, *rows, rooms));
    noted = true;
    if (!more) break;
    rooms.metrics.source_batch_took(spec.dataset.source,
                                    std::chrono::duration_cast<Duration>(rooms.clock.steady_now() - begun));
    last_key = batch.last_key();
    TRY(std::optional<ChunkSummary> closed, encoder->encode(batch, cutter.out()));
    if (closed) cutter.close_chunk(*std::move(closed), last_key);
    while (const std::optional<CutPart> part = cutter.cut(uploader.target())) {
      CHECK_OK(uploader.upload(*part));
      cutter.drop(*part);
    }
    rows_read += static_cast<std::int64_t>(batch.row_count());
    progress.rows = rows_read;
    progress.bytes = uploader.bytes() + static_cast<std::int64_t>(cutter.out().size());
  }
  TRY(std::optional<ChunkSummary> closed, encoder->finish(cutter.out()));
  if (closed) cutter.close_chunk(*std::move(closed), last_key);

  const std::optional<CutPart> rest = cutter.rest();
  const bool nothing_uploaded = uploader.next_sequence() == 0;
  if (work.job.partition_count == 1 && nothing_uploaded &&
      static_cast<std::int64_t>(cutter.out().size()) < kMinPartBytes) {
    return publish_small_export(work, rooms, rest ? &*rest : nullptr);
  }
  if (rest) CHECK_OK(uploader.upload(*rest));
  CHECK_OK(uploader.finish());
  crash_point("partition.before_complete");
  CHECK_OK(rooms.queue.complete_partition(work.claim, uploader.rows(), uploader.bytes()));
  crash_point("partition.after_complete");
  return {};
}

}  // namespace

Status run_partition(const PartitionWork& work, const WorkerRooms& rooms, LiveProgress& progress,
                     std::stop_token stop) {
  Status done = read_and_upload(work, rooms, progress, stop);
  if (!done && done.error().code == "copy_gone") {
    // The claim ends with it. If the loss cannot be recorded now, the partition is tried again, and finds it again.
    if (Status told = rooms.snapshots.lose_copy(work.claim, done.error().message); !told) return told;
    log_warn("the copy is gone that an export reads",
             {{"job", work.job.id}, {"partition", work.partition.index}, {"error", done.error().message}});
  }
  if (!done && done.error().code == "snapshot_gone" && reads_one_moment(work, rooms)) {
    if (Status told = rooms.snapshots.lose_moment(work.claim, done.error().message); !told) return told;
    log_warn("the session is gone that read one moment for an export",
             {{"job", work.job.id}, {"error", done.error().message}});
  }
  return done;
}

std::int64_t partition_memory(std::int64_t part_size, std::int64_t encoder_memory) {
  constexpr std::int64_t kBatchAndScratch = std::int64_t{6} << 20;
  return 2 * part_size + kMinPartBytes + kBatchAndScratch + encoder_memory;
}

}  // namespace longshore
