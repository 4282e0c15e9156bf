#include "worker/run_materialized_plan.h"

#include <memory>
#include <string>
#include <utility>

#include "base/crash_point.h"
#include "scan/staging_area.h"
#include "telemetry/log.h"
#include "worker/run_plan.h"
#include "worker/run_snapshot_plan.h"
#include "worker/staged_copies.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// A copy is one long statement that no pacing holds back, so a source gets them one after the other.
constexpr int kCopiesAtOnce = 1;
/// How long until a job looks again whether it is its turn.
constexpr Duration kTurnDelay = 2s;

}  // namespace

Status run_materialized_plan(const PlanWork& work, const Format& format, const WorkerRooms& rooms,
                             PressureNote& pressure, std::stop_token stop) {
  const ExportJob& job = work.job;
  const ExportSpec& spec = job.spec;
  TRY(SourceDatabase* const source, rooms.sources.find(spec.dataset.source));
  StagingArea* const area = source->staging();
  if (area == nullptr) {
    return fail(user_error(
        "materialized_unsupported",
        "the catalog names no staging for source " + spec.dataset.source + " any more; ask for another consistency"));
  }
  TRY(const bool placed, rooms.snapshots.reserve_snapshot(work.claim, kCopiesAtOnce, kTurnDelay));
  if (!placed) return {};
  if (job.snapshot_losses > 0) {
    CHECK_OK(remove_stale(job, rooms.store));
    // What cannot be dropped now is dropped with the job.
    if (const Status dropped = drop_copies(job, rooms, stop, job.snapshot_losses); !dropped) {
      log_warn("cannot drop the lost copy of an export", {{"job", job.id}, {"error", dropped.error().message}});
    }
  }
  TRY(const std::string deployment, rooms.snapshots.deployment());
  crash_point("plan.before_copy");
  TRY(std::unique_ptr<StagedCopy> copy,
      area->make_copy(spec, {.deployment = deployment, .job = job.id, .attempt = job.snapshot_losses}, &pressure,
                      stop));
  crash_point("plan.after_copy");
  TRY(ExportPlan plan, plan_export(*copy, spec, plan_rules(format.traits(), spec.columns.size()), rooms.plan, stop));
  const ExportSnapshot what = copy->what();
  copy.reset();  // its connection is for readers now
  // If the claim is lost, the copy stays: whoever took over reads it, or the job's cleaning drops it.
  TRY([[maybe_unused]] const auto no_keeper, save_moment_plan(work, rooms, what, std::move(plan), 0));
  return {};
}

}  // namespace longshore
