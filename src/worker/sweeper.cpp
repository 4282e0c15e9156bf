#include "worker/sweeper.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "assemble/file_layout.h"
#include "base/random.h"
#include "telemetry/log.h"
#include "worker/clean_job.h"
#include "worker/staged_copies.h"

namespace longshore {

namespace {

constexpr const char* kOffice = "sweeper";

/// The job that an artefact's key belongs to: `tenant/exports/yyyy/mm/UUID.ext`. Empty when it is no such key.
JobId job_of_object_key(const std::string& key) {
  constexpr std::size_t kUuidLength = 36;
  const std::size_t slash = key.rfind('/');
  const std::string name = slash == std::string::npos ? key : key.substr(slash + 1);
  if (name.size() < kUuidLength || !is_uuid(name.substr(0, kUuidLength))) return JobId();
  return JobId(name.substr(0, kUuidLength));
}

}  // namespace

Sweeper::Sweeper(const WorkerRooms& rooms, SweepPolicy policy) : rooms_(rooms), policy_(std::move(policy)) {}

Sweeper::~Sweeper() {
  stop();
}

Status Sweeper::sweep() {
  TRY(const int freed, rooms_.queue.free_lost_claims(policy_.lease, policy_.retry));
  if (freed > 0) log_warn("freed claims of silent workers", {{"claims", freed}});
  TRY(const int expired, rooms_.queue.expire_due());
  if (expired > 0) log_info("artefacts past their retention", {{"exports", expired}});
  if (freed + expired > 0) rooms_.signal.announce();
  return {};
}

Status Sweeper::sweep_orphans() {
  CHECK_OK(rooms_.store.remove_abandoned_writes());
  constexpr int kPage = 1000;
  std::string after;
  for (;;) {
    TRY(const std::vector<ObjectInfo> staged, rooms_.store.list(kStagingRoot, after, kPage));
    std::set<JobId> jobs;
    for (const ObjectInfo& object : staged) jobs.insert(job_of_staged_key(object.key));
    TRY(const std::set<JobId> active, rooms_.queue.active_among({jobs.begin(), jobs.end()}));
    for (const JobId& job : jobs) {
      if (active.contains(job)) continue;
      log_warn("removing staged objects that no export needs", {{"job", job.str()}});
      CHECK_OK(remove_staged(job, rooms_.store));
    }
    if (staged.size() < kPage) break;
    after = staged.back().key;
  }

  TRY(const Timestamp now, rooms_.jobs.now());
  TRY(const std::vector<UploadInfo> uploads, rooms_.store.list_uploads(""));
  for (const UploadInfo& info : uploads) {
    if (info.begun > now - policy_.orphan_age) continue;
    const JobId job = job_of_object_key(info.upload.key);
    if (job.empty()) continue;  // not ours
    TRY(const std::set<JobId> active, rooms_.queue.active_among({job}));
    if (active.contains(job)) continue;
    log_warn("aborting an upload that no export needs", {{"job", job.str()}});
    CHECK_OK(rooms_.store.abort_upload(info.upload));
  }
  return {};
}

void Sweeper::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  copies_thread_ = std::jthread([this](const std::stop_token& stop) { run_copies(stop); });
}

void Sweeper::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  copies_thread_.request_stop();
  thread_.join();
  copies_thread_.join();
}

bool Sweeper::in_office() {
  // Long enough for a round that is slow, short enough to be noticed when its holder dies: it adds to the lease's time
  // only if the sweeper dies together with a worker, and then runs out before the lease does.
  const Result<bool> held = rooms_.queue.hold_office(kOffice, policy_.holder, 4 * policy_.interval);
  if (!held) log_error("sweep failed", {{"error", held.error().message}});
  in_office_ = held.value_or(false);
  return in_office_;
}

void Sweeper::run_copies(const std::stop_token& stop) {
  auto next = rooms_.clock.steady_now();
  while (rooms_.clock.sleep_for(policy_.interval, stop)) {
    if (!in_office_ || rooms_.clock.steady_now() < next) continue;
    if (const Status swept = sweep_copies(rooms_, stop); !swept && !stop.stop_requested())
      log_error("sweep of staged copies failed", {{"error", swept.error().message}});
    next = rooms_.clock.steady_now() + policy_.orphan_interval;
  }
}

void Sweeper::run(const std::stop_token& stop) {
  auto next_orphans = rooms_.clock.steady_now();
  while (!stop.stop_requested()) {
    if (!in_office()) {
      rooms_.clock.sleep_for(policy_.interval, stop);
      continue;
    }
    if (const Status swept = sweep(); !swept) log_error("sweep failed", {{"error", swept.error().message}});
    if (rooms_.clock.steady_now() >= next_orphans) {
      if (const Status swept = sweep_orphans(); !swept)
        log_error("orphan sweep failed", {{"error", swept.error().message}});
      next_orphans = rooms_.clock.steady_now() + policy_.orphan_interval;
    }
    rooms_.clock.sleep_for(policy_.interval, stop);
  }
  if (const Status left = rooms_.queue.leave_office(kOffice, policy_.holder); !left) {
    log_debug("the sweeper's office is left by itself", {{"error", left.error().message}});
  }
}

}  // namespace longshore
