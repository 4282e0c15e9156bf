#include "worker/staged_copies.h"

#include <set>
#include <string>
#include <vector>

#include "scan/staging_area.h"
#include "telemetry/log.h"

namespace longshore {

namespace {

Status sweep_area(StagingArea& area, const std::string& deployment, const WorkerRooms& rooms,
                  const std::stop_token& stop) {
  // First the copies, then their jobs: one that is made meanwhile is not looked at, and none that is looked at can come
  // to be needed again.
  TRY(const std::vector<CopyName> copies, area.copies(deployment, stop));
  std::set<JobId> jobs;
  for (const CopyName& copy : copies) jobs.insert(copy.job);
  if (jobs.empty()) return {};
  TRY(const std::set<JobId> active, rooms.queue.active_among({jobs.begin(), jobs.end()}));
  Status swept;
  for (const CopyName& copy : copies) {
    if (active.contains(copy.job)) continue;
    log_warn("dropping staged rows that no export needs", {{"job", copy.job.str()}});
    // One that cannot be dropped does not keep the others.
    if (Status dropped = area.drop_copy(copy, stop); !dropped) swept = std::move(dropped);
    if (stop.stop_requested()) break;
  }
  return swept;
}

}  // namespace

Status drop_copies(const ExportJob& job, const WorkerRooms& rooms, std::stop_token stop, std::optional<int> before) {
  if (job.spec.consistency != Consistency::materialized) return {};
  const auto source = rooms.sources.find(job.spec.dataset.source);
  StagingArea* const area = source ? (*source)->staging() : nullptr;
  if (area == nullptr) {
    log_warn("the catalog has no staging any more where the rows of an export may have been copied to",
             {{"job", job.id}, {"source", job.spec.dataset.source}});
    return {};
  }
  TRY(const std::string deployment, rooms.snapshots.deployment());
  TRY(const std::vector<CopyName> copies, area->copies(deployment, stop));
  for (const CopyName& copy : copies) {
    if (copy.job == job.id && (!before || copy.attempt < *before)) CHECK_OK(area->drop_copy(copy, stop));
  }
  return {};
}

Status sweep_copies(const WorkerRooms& rooms, std::stop_token stop) {
  std::string deployment;
  for (const auto& [name, source] : rooms.sources.all()) {
    StagingArea* const area = source->staging();
    if (area == nullptr) continue;
    if (deployment.empty()) {
      TRY(deployment, rooms.snapshots.deployment());
    }
    // What cannot be reached now is swept the next time, and others need not wait for it.
    if (const Status swept = sweep_area(*area, deployment, rooms, stop); !swept && !stop.stop_requested()) {
      log_warn("cannot sweep the copies staged on a source", {{"source", name}, {"error", swept.error().message}});
    }
  }
  return {};
}

}  // namespace longshore
