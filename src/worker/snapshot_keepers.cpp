#include "worker/snapshot_keepers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/crash_point.h"
#include "telemetry/log.h"

namespace longshore {

namespace {

using namespace std::chrono_literals;

/// Seats that a worker takes beside those of its own plans. Each holds a connection of some source.
constexpr std::size_t kMostSeats = 8;
/// How often a session is used: a tenth of the time after which the server ends one that is idle in its transaction,
/// and often enough to notice soon that it is gone.
constexpr Duration kPing = 1s;
/// How long a worker that shuts down waits for another to have its snapshots.
constexpr Duration kHandOver = 3s;

bool same_seat(const KeeperClaim& a, const KeeperClaim& b) {
  return a.job == b.job && a.seat == b.seat && a.epoch == b.epoch && a.worker == b.worker;
}

}  // namespace

SnapshotKeepers::Planning::Planning(SnapshotKeepers& keepers, JobId job) : keepers_(keepers), job_(std::move(job)) {
  const std::lock_guard lock(keepers_.mutex_);
  keepers_.planning_.insert(job_);
}

SnapshotKeepers::Planning::~Planning() {
  const std::lock_guard lock(keepers_.mutex_);
  keepers_.planning_.erase(keepers_.planning_.find(job_));
}

void SnapshotKeepers::Planning::keep(const KeeperClaim& claim, std::unique_ptr<KeptSnapshot> snapshot) {
  const std::shared_ptr<KeptSnapshot> shared = std::move(snapshot);
  keepers_.add(claim,
               [this_ = &keepers_, shared](const std::stop_token& stop) { return this_->keep_alive(*shared, stop); });
}

SnapshotKeepers::SnapshotKeepers(const WorkerRooms& rooms, std::function<WorkerId()> worker, Duration poll)
    : rooms_(rooms), worker_(std::move(worker)), poll_(poll) {}

SnapshotKeepers::~SnapshotKeepers() {
  stop();
}

void SnapshotKeepers::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void SnapshotKeepers::hand_over() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  rooms_.signal.announce();
  thread_.join();
  std::vector<JobId> alone;
  {
    const std::lock_guard lock(mutex_);
    for (const Kept& kept : kept_) {
      if (!kept.over) alone.push_back(kept.claim.job);
    }
  }
  const auto kept_elsewhere = [&](const JobId& job) {
    const auto importable = rooms_.snapshots.importable_snapshots(job);
    return !importable || importable->size() != 1;
  };
  const auto until = rooms_.clock.steady_now() + kHandOver;
  while (rooms_.clock.steady_now() < until) {
    std::erase_if(alone, kept_elsewhere);
    if (alone.empty()) return;
    const auto workers = rooms_.jobs.workers();
    if (!workers || std::ranges::count_if(*workers, &WorkerRecord::alive) < 2) break;
    rooms_.clock.sleep_for(50ms, {});
  }
  if (!alone.empty()) {
    log_warn("this worker leaves, and nobody else keeps a snapshot that an export reads", {{"exports", alone.size()}});
  }
}

void SnapshotKeepers::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    rooms_.signal.announce();
    thread_.join();
  }
  std::list<Kept> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(kept_);
  }
  for (Kept& kept : ended) kept.thread.request_stop();
}

void SnapshotKeepers::run(const std::stop_token& stop) {
  std::uint64_t seen = 0;
  while (!stop.stop_requested()) {
    reconcile();
    take_seat();
    rooms_.signal.wait(seen, std::chrono::duration_cast<std::chrono::milliseconds>(poll_), stop);
  }
}

void SnapshotKeepers::reconcile() {
  const WorkerId worker = worker_();
  std::vector<KeeperClaim> known;
  {
    const std::lock_guard lock(mutex_);
    for (const Kept& kept : kept_) known.push_back(kept.claim);
  }
  const Result<std::vector<KeeperClaim>> held = rooms_.snapshots.keepers_of(worker);
  if (!held) return;  // while the store is away nothing is known to be wrong
  std::list<Kept> ended;
  std::vector<KeeperClaim> without_session;
  {
    const std::lock_guard lock(mutex_);
    const auto among = [](const std::vector<KeeperClaim>& seats, const KeeperClaim& seat) {
      return std::ranges::any_of(seats, [&](const KeeperClaim& one) { return same_seat(one, seat); });
    };
    for (auto it = kept_.begin(); it != kept_.end();) {
      // One that was added after the store was asked is looked at next time.
      const bool needless = among(known, it->claim) && !among(*held, it->claim);
      const auto next = std::next(it);
      if (it->over || needless) ended.splice(ended.end(), kept_, it);
      it = next;
    }
    for (const KeeperClaim& seat : *held) {
      const bool kept = std::ranges::any_of(kept_, [&](const Kept& one) { return same_seat(one.claim, seat); });
      const bool over = std::ranges::any_of(ended, [&](const Kept& one) { return same_seat(one.claim, seat); });
      if (!kept && !over && !planning_.contains(seat.job)) without_session.push_back(seat);
    }
  }
  for (Kept& kept : ended) kept.thread.request_stop();
  ended.clear();  // joins
  for (const KeeperClaim& seat : without_session) leave(seat, "its keeper never learned of it", {});
}

void SnapshotKeepers::take_seat() {
  {
    const std::lock_guard lock(mutex_);
    if (kept_.size() >= kMostSeats) return;
  }
  Result<std::optional<KeeperWork>> work = rooms_.snapshots.claim_keeper(worker_());
  if (!work) {
    // Whoever was declared lost comes back under another name in a moment.
    if (work.error().code != "worker_lost")
      log_debug("cannot look for keepers' seats", {{"error", work.error().message}});
    return;
  }
  if (!*work) return;
  const KeeperClaim claim = (*work)->claim;
  add(claim, [this, taken = **std::move(work)](const std::stop_token& stop) { return import_and_keep(taken, stop); });
}

void SnapshotKeepers::add(const KeeperClaim& claim, std::function<Status(const std::stop_token&)> keep) {
  const std::lock_guard lock(mutex_);
  Kept& kept = kept_.emplace_back();
  kept.claim = claim;
  kept.thread = std::jthread([this, &kept, claim, keep = std::move(keep)](const std::stop_token& stop) mutable {
    const Status done = keep(stop);
    keep = nullptr;  // closes the session
    if (!done && !stop.stop_requested()) {
      log_warn("a snapshot cannot be kept any longer",
               {{"job", claim.job}, {"seat", claim.seat}, {"error", done.error().message}});
      leave(claim, done.error().message, stop);
      rooms_.signal.announce();
    }
    const std::lock_guard own(mutex_);
    kept.over = true;
  });
}

Status SnapshotKeepers::keep_alive(KeptSnapshot& snapshot, const std::stop_token& stop) {
  while (rooms_.clock.sleep_for(kPing, stop)) CHECK_OK(snapshot.keep_alive(stop));
  return {};
}

Status SnapshotKeepers::import_and_keep(const KeeperWork& work, const std::stop_token& stop) {
  const ExportSpec& spec = work.job.spec;
  TRY(SourceDatabase* const source, rooms_.sources.find(spec.dataset.source));
  if (!work.job.snapshot) return fail(internal_error("bad_stored_job", "a keeper's job has no snapshot"));
  const PinnedSnapshot pinned{.server = work.job.snapshot->server,
                              .importable = [&] { return rooms_.snapshots.importable_snapshots(work.claim.job); }};
  crash_point("keeper.before_import");
  TRY(const std::unique_ptr<KeptSnapshot> snapshot,
      source->share_snapshot(spec, pinned, "exp_" + work.job.id.str() + " keeper", stop));
  crash_point("keeper.after_import");
  CHECK_OK(rooms_.snapshots.keep(work.claim, snapshot->what().id));
  crash_point("keeper.after_keep");
  log_info("keeps a snapshot beside another worker", {{"job", work.claim.job}, {"seat", work.claim.seat}});
  rooms_.signal.announce();
  return keep_alive(*snapshot, stop);
}

void SnapshotKeepers::leave(const KeeperClaim& claim, const std::string& why, const std::stop_token& stop) {
  while (true) {
    const Status left = rooms_.snapshots.leave_keeper(claim, why);
    if (left || !left.error().retriable) return;
    if (!rooms_.clock.sleep_for(kPing, stop) || !stop.stop_possible()) return;
  }
}

}  // namespace longshore
