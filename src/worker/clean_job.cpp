#include "worker/clean_job.h"

#include "assemble/file_layout.h"
#include "assemble/manifest.h"
#include "base/crash_point.h"
#include "telemetry/log.h"
#include "worker/staged_copies.h"

namespace longshore {

Status remove_staged(const JobId& job, ObjectStore& store) {
  constexpr int kPage = 1000;
  for (;;) {
    TRY(const std::vector<ObjectInfo> staged, store.list(staging_prefix(job), "", kPage));
    for (const ObjectInfo& object : staged) CHECK_OK(store.remove(object.key));
    if (staged.size() < kPage) return {};
  }
}

Status clean_job(const CleanWork& work, const WorkerRooms& rooms, std::stop_token stop) {
  const ExportJob& job = work.job;
  crash_point("clean.before");
  TRY(const std::vector<UploadInfo> uploads, rooms.store.list_uploads(job.object_key));
  for (const UploadInfo& info : uploads) {
    if (info.upload.key == job.object_key) CHECK_OK(rooms.store.abort_upload(info.upload));
  }
  crash_point("clean.after_uploads");
  CHECK_OK(remove_staged(job.id, rooms.store));
  crash_point("clean.after_staged");
  if (job.state != JobState::succeeded) {
    // The manifest goes last: an artefact without its manifest could not be told from a foreign file.
    CHECK_OK(rooms.store.remove(job.object_key));
    crash_point("clean.after_artefact");
    CHECK_OK(rooms.store.remove(manifest_object_key(job.object_key)));
  }
  // Of a job that expires they were dropped when it ended.
  if (job.state != JobState::expired) {
    Status dropped = drop_copies(job, rooms, stop);
    if (stop.stop_requested()) return dropped;
    // A source that is busy or away must not keep a slot from exports; the sweeper drops what is left.
    if (!dropped) {
      log_warn("the rows staged for an export are left to the sweeper",
               {{"job", job.id}, {"error", dropped.error().message}});
    }
  }
  crash_point("clean.after_copies");
  return rooms.queue.mark_clean(work.claim);
}

}  // namespace longshore
