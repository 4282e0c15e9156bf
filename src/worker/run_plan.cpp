#include "worker/run_plan.h"

#include <algorithm>
#include <utility>

#include "base/crash_point.h"
#include "worker/run_materialized_plan.h"
#include "worker/run_moment_plan.h"
#include "worker/run_snapshot_plan.h"

namespace longshore {

FormatRules plan_rules(const FormatTraits& format, std::size_t columns) {
  FormatRules rules{format.name, format.parallel, format.max_rows, format.max_partition_rows, 0};
  if (format.sheet_rows == 0) return rules;
  // What rows hold on top of tags and short values is not known here, so the bound is loose.
  const auto row_bytes = static_cast<std::int64_t>(512 + 64 * columns);
  rules.parallel = false;  // not by size: as few as there must be
  rules.max_partition_rows = std::min(format.sheet_rows, (std::int64_t{7} << 29) / row_bytes);
  return rules;
}

namespace {

/// Begins the job's upload, if it has none yet, and records it.
Status begin_upload(const PlanWork& work, const WorkerRooms& rooms) {
  crash_point("plan.before_upload");
  if (!work.job.upload_id.empty()) return {};
  TRY(const UploadRef upload,
      rooms.store.begin_upload(work.job.object_key, {rooms.formats.content_type(work.job.spec)}));
  crash_point("plan.after_upload");
  return rooms.queue.save_upload(work.claim, upload.id);
}

}  // namespace

Result<std::optional<KeeperClaim>> save_moment_plan(const PlanWork& work, const WorkerRooms& rooms,
                                                    ExportSnapshot snapshot, ExportPlan plan, int seats) {
  CHECK_OK(begin_upload(work, rooms));
  crash_point("plan.before_save");
  TRY(const std::optional<KeeperClaim> keeper,
      rooms.snapshots.save_snapshot_plan(work.claim, {.snapshot = std::move(snapshot),
                                                      .partitions = std::move(plan.partitions),
                                                      .part_size = plan.part_size,
                                                      .estimated_rows = plan.estimated_rows,
                                                      .seats = seats,
                                                      .on_loss = work.job.spec.dataset.on_snapshot_loss}));
  crash_point("plan.after_save");
  return keeper;
}

Status run_plan(const PlanWork& work, const WorkerRooms& rooms, SnapshotKeepers& keepers, PressureNote& pressure,
                std::stop_token stop) {
  const ExportSpec& spec = work.job.spec;
  const Format* format = rooms.formats.find(spec.format);
  if (format == nullptr) {
    return fail(internal_error("format_unknown", "this build cannot write the format " + spec.format));
  }
  TRY(SourceDatabase* const source, rooms.sources.find(spec.dataset.source));
  if (spec.consistency == Consistency::snapshot && source->reads_one_moment()) {
    return run_moment_plan(work, *format, rooms, pressure, stop);
  }
  if (spec.consistency == Consistency::snapshot) {
    return run_snapshot_plan(work, *format, rooms, keepers, pressure, stop);
  }
  if (spec.consistency == Consistency::materialized) {
    return run_materialized_plan(work, *format, rooms, pressure, stop);
  }
  const FormatRules rules = plan_rules(format->traits(), spec.columns.size());
  TRY(const ExportPlan plan, plan_export(*source->planning(pressure), spec, rules, rooms.plan, stop));
  CHECK_OK(begin_upload(work, rooms));
  crash_point("plan.before_save");
  CHECK_OK(rooms.queue.save_plan(work.claim, plan.partitions, plan.part_size, plan.estimated_rows));
  crash_point("plan.after_save");
  return {};
}

}  // namespace longshore
