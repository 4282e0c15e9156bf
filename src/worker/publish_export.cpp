#include "worker/publish_export.h"

#include <memory>
#include <utility>
#include <vector>

#include "assemble/file_assembler.h"
#include "assemble/file_layout.h"
#include "assemble/manifest.h"
#include "base/crash_point.h"
#include "base/digest.h"

namespace longshore {

namespace {

Status write_manifest(const ExportJob& job, const std::vector<FinishedPartition>& partitions, const AssembledFile& file,
                      const WorkerRooms& rooms) {
  TRY(const Timestamp now, rooms.jobs.now());
  TRY(const std::string manifest,
      make_manifest(job, partitions, file, job.spec.dataset.source, now, rooms.manifest_key));
  crash_point("publish.before_manifest");
  TRY(const ObjectInfo written,
      rooms.store.put(manifest_object_key(job.object_key), manifest, ObjectOptions{"application/json"}));
  (void)written;
  crash_point("publish.after_manifest");
  return {};
}

Result<std::vector<FinishedPartition>> finished_partitions(const ExportJob& job, const WorkerRooms& rooms) {
  TRY(std::vector<Partition> partitions, rooms.jobs.partitions(job.id));
  std::vector<FinishedPartition> finished;
  finished.reserve(partitions.size());
  for (Partition& partition : partitions) {
    TRY(std::vector<Part> parts, rooms.jobs.parts(job.id, partition.index));
    finished.push_back({std::move(partition), std::move(parts)});
  }
  return finished;
}

}  // namespace

Status publish_export(const AssembleWork& work, const WorkerRooms& rooms, std::stop_token stop) {
  const ExportJob& job = work.job;
  TRY(const std::vector<FinishedPartition> partitions, finished_partitions(job, rooms));
  TRY(const std::vector<Part> glued, rooms.jobs.parts(job.id, -1));
  TRY(const std::unique_ptr<FileFrame> frame, rooms.formats.make_frame(job.spec));
  TRY(const FileLayout layout, make_layout(partitions, *frame, job.spec.columns.size(), job.part_size));

  FileAssembler assembler(rooms.store, job, rooms.formats.content_type(job.spec));
  const auto checkpoint = [&](const Part& part) { return rooms.queue.checkpoint(work.claim, part); };
  TRY(const AssembledFile file, assembler.assemble(layout, glued, checkpoint, stop));
  CHECK_OK(write_manifest(job, partitions, file, rooms));
  CHECK_OK(rooms.queue.publish(work.claim, {file.rows, file.bytes}));
  rooms.metrics.export_finished(job.spec.format, "succeeded");
  crash_point("publish.after_publish");
  return {};
}

Status publish_small_export(const PartitionWork& work, const WorkerRooms& rooms, const CutPart* rest) {
  const ExportJob& job = work.job;
  std::vector<FinishedPartition> partitions{{work.partition, {}}};
  if (rest != nullptr) {
    Part head;
    head.etag = staged_head_key(job.id, work.partition.index, work.claim.epoch);  // a name only: nothing is staged
    head.bytes = static_cast<std::int64_t>(rest->bytes.size());
    head.sha256 = sha256_hex(rest->bytes);
    head.crc32c = crc32c(rest->bytes);
    head.last_key = rest->last_key;
    head.summary = rest->summary;
    partitions.front().parts.push_back(std::move(head));
  }
  TRY(const std::unique_ptr<FileFrame> frame, rooms.formats.make_frame(job.spec));
  TRY(const FileLayout layout, make_layout(partitions, *frame, job.spec.columns.size(), job.part_size));
  FileAssembler assembler(rooms.store, job, rooms.formats.content_type(job.spec));
  TRY(const AssembledFile file, assembler.assemble_whole(layout, rest != nullptr ? rest->bytes : std::string_view()));
  CHECK_OK(write_manifest(job, partitions, file, rooms));
  CHECK_OK(rooms.queue.complete_and_publish(work.claim, file.rows, {file.rows, file.bytes}));
  rooms.metrics.exported(job.spec.format, file.rows, file.bytes);
  rooms.metrics.export_finished(job.spec.format, "succeeded");
  crash_point("publish.after_publish");
  return {};
}

}  // namespace longshore
