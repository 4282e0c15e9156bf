#include "worker/run_moment_plan.h"

#include <memory>
#include <utility>

#include "assemble/file_layout.h"
#include "base/crash_point.h"
#include "worker/run_plan.h"
#include "worker/run_snapshot_plan.h"

namespace longshore {

namespace {

/// All rows as one range. It has no upper end: what has been added when reading begins is in that moment, too.
class OneRange final : public PlanningView {
 public:
  OneRange(std::unique_ptr<PlanningView> source, std::string name)
      : source_(std::move(source)), name_(std::move(name)) {}

  Result<ScanEstimate> estimate(const ExportSpec& spec, std::stop_token stop) override {
    return source_->estimate(spec, std::move(stop));
  }

  Result<PartitionPlan> plan_partitions(const ExportSpec& spec, const PartitionRequest& request,
                                        std::stop_token stop) override {
    PartitionPlan plan;
    if (request.limited()) {
      TRY(plan, source_->plan_partitions(spec, request, std::move(stop)));
      const bool too_many = request.max_total_rows > 0 && plan.rows.value_or(0) > request.max_total_rows;
      if (too_many) return plan;  // the planner says so
      if (plan.ranges.size() > 1) {
        return fail(user_error("snapshot_unsupported",
                               "one session reads a moment of source " + name_ +
                                   ", as one partition, and the format cannot hold so many rows in one; choose "
                                   "another format, a narrower filter, or best_effort"));
      }
    }
    plan.ranges = {KeyRange{}};
    return plan;
  }

 private:
  std::unique_ptr<PlanningView> source_;
  const std::string name_;
};

}  // namespace

Status run_moment_plan(const PlanWork& work, const Format& format, const WorkerRooms& rooms, PressureNote& pressure,
                       std::stop_token stop) {
  const ExportJob& job = work.job;
  const ExportSpec& spec = job.spec;
  TRY(SourceDatabase* const source, rooms.sources.find(spec.dataset.source));
  if (job.snapshot_losses > 0) CHECK_OK(remove_stale(job, rooms.store));
  OneRange view(source->planning(pressure), spec.dataset.source);
  TRY(ExportPlan plan, plan_export(view, spec, plan_rules(format.traits(), spec.columns.size()), rooms.plan, stop));
  // Nobody keeps anything before it is read; then its reader does.
  TRY([[maybe_unused]] const auto no_keeper, save_moment_plan(work, rooms, {}, std::move(plan), 0));
  return {};
}

}  // namespace longshore
