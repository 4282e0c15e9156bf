#include "worker/run_snapshot_plan.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "assemble/file_layout.h"
#include "base/crash_point.h"
#include "worker/run_plan.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// How long until a job looks again whether its source has a place for its snapshot.
constexpr Duration kPlaceDelay = 2s;

/// Two keepers where at least as many connections are left to read with as one.
int seats_for(int max_connections) {
  return max_connections >= 3 ? 2 : 1;
}

/// Keepers take at most half of a source's connections, but for a single export, which may always have its own.
int snapshot_places(int max_connections) {
  return std::max(1, max_connections / (2 * seats_for(max_connections)));
}

}  // namespace

Status remove_stale(const ExportJob& job, ObjectStore& store) {
  if (!job.stale_upload_id.empty()) CHECK_OK(store.abort_upload({job.object_key, job.stale_upload_id}));
  constexpr int kPage = 1000;
  std::string after;
  while (true) {
    TRY(const std::vector<ObjectInfo> staged, store.list(staging_prefix(job.id), after, kPage));
    for (const ObjectInfo& object : staged) {
      // A later plan's heads are none of our business: this may be a planner whose claim was lost.
      if (epoch_of_staged_key(object.key) <= job.stale_epoch) CHECK_OK(store.remove(object.key));
    }
    if (staged.size() < kPage) return {};
    after = staged.back().key;
  }
}

Status run_snapshot_plan(const PlanWork& work, const Format& format, const WorkerRooms& rooms, SnapshotKeepers& keepers,
                         PressureNote& pressure, std::stop_token stop) {
  const ExportJob& job = work.job;
  const ExportSpec& spec = job.spec;
  TRY(SourceDatabase* const source, rooms.sources.find(spec.dataset.source));
  if (source->max_connections() < 2) {
    return fail(user_error("snapshot_unsupported",
                           "a snapshot needs a connection that keeps it and one that reads: let "
                           "source " +
                               spec.dataset.source + " have max_connections: 3 or more"));
  }
  TRY(const bool placed,
      rooms.snapshots.reserve_snapshot(work.claim, snapshot_places(source->max_connections()), kPlaceDelay));
  if (!placed) return {};
  if (job.snapshot_losses > 0) CHECK_OK(remove_stale(job, rooms.store));
  crash_point("plan.before_snapshot");
  TRY(std::unique_ptr<KeptSnapshot> snapshot,
      source->take_snapshot(spec, "exp_" + job.id.str() + " keeper", stop, &pressure));
  crash_point("plan.after_snapshot");
  TRY(ExportPlan plan,
      plan_export(*snapshot, spec, plan_rules(format.traits(), spec.columns.size()), rooms.plan, stop));
  SnapshotKeepers::Planning planning(keepers, job.id);
  TRY(const std::optional<KeeperClaim> keeper,
      save_moment_plan(work, rooms, snapshot->what(), std::move(plan), seats_for(source->max_connections())));
  if (keeper) planning.keep(*keeper, std::move(snapshot));
  return {};
}

}  // namespace longshore
