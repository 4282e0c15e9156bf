#include "worker/worker.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "base/random.h"
#include "telemetry/log.h"
#include "worker/clean_job.h"
#include "worker/publish_export.h"
#include "worker/run_partition.h"
#include "worker/run_plan.h"

namespace longshore {

namespace {

const Claim& claim_of(const Work& work) {
  return std::visit([](const auto& any) -> const Claim& { return any.claim; }, work);
}

const char* name_of(const Work& work) {
  static constexpr const char* kNames[] = {"plan", "partition", "assemble", "clean"};
  return kNames[work.index()];
}

const std::string& format_of(const Work& work) {
  return std::visit([](const auto& any) -> const std::string& { return any.job.spec.format; }, work);
}

void note_unended(const Status& ended) {
  if (ended || ended.error().code == "claim_lost") return;
  log_warn("could not end a claim; the lease will run out instead", {{"error", ended.error().message}});
}

bool same_claim(const Claim& a, const Claim& b) {
  return a.job == b.job && a.partition == b.partition && a.epoch == b.epoch;
}

}  // namespace

Worker::Worker(const WorkerRooms& rooms, WorkerOptions options)
    : rooms_(rooms),
      options_(std::move(options)),
      keepers_(
          rooms, [this] { return id(); }, options_.poll) {}

Worker::~Worker() {
  stop();
}

WorkerId Worker::id() const {
  std::lock_guard lock(mutex_);
  return id_;
}

Status Worker::register_anew() {
  // Never an id that was used before: a worker that was declared lost must not be taken for its successor.
  const WorkerId id(options_.host + "-" + std::to_string(::getpid()) + "-" + to_hex(random_bytes(4)));
  CHECK_OK(rooms_.queue.register_worker(id, options_.host, ::getpid()));
  std::lock_guard lock(mutex_);
  id_ = id;
  last_beat_ = rooms_.clock.steady_now();
  return {};
}

Status Worker::start() {
  CHECK_OK(register_anew());
  heartbeat_ = std::jthread([this](const std::stop_token& stop) { run_heartbeat(stop); });
  watch_ = std::jthread([this](const std::stop_token& stop) { run_watch(stop); });
  keepers_.start();
  for (int i = 0; i < options_.slots; ++i) {
    slots_.emplace_back([this](const std::stop_token& stop) { run_slot(stop); });
  }
  return {};
}

void Worker::stop() {
  if (!heartbeat_.joinable()) return;
  for (std::jthread& slot : slots_) slot.request_stop();
  {
    std::lock_guard lock(mutex_);
    for (const auto& active : active_) active->stop.request_stop();
  }
  rooms_.signal.announce();
  slots_.clear();  // joins
  keepers_.hand_over();
  heartbeat_.request_stop();
  watch_.request_stop();
  heartbeat_.join();
  watch_.join();
  if (const Status retired = rooms_.queue.retire_worker(id()); !retired) {
    log_warn("could not sign off; the lease will run out instead", {{"error", retired.error().message}});
  }
  keepers_.stop();
}

void Worker::run_slot(const std::stop_token& stop) {
  std::uint64_t seen = 0;
  const auto poll = std::chrono::duration_cast<std::chrono::milliseconds>(options_.poll);
  while (!stop.stop_requested()) {
    Result<std::optional<Work>> claimed = rooms_.queue.claim_next(id());
    if (!claimed) {
      log_error("cannot claim work", {{"error", claimed.error().message}});
      rooms_.clock.sleep_for(options_.poll, stop);
    } else if (!*claimed) {
      rooms_.signal.wait(seen, poll, stop);
    } else {
      do_work(**claimed, stop);
    }
  }
}

void Worker::do_work(const Work& work, const std::stop_token& stop) {
  const auto active = std::make_shared<Active>(claim_of(work));
  {
    std::lock_guard lock(mutex_);
    active_.push_back(active);
  }
  // A stop that came between the claim and its entry in the list must not be missed.
  if (stop.stop_requested()) active->stop.request_stop();
  rooms_.metrics.work_claimed(name_of(work));
  log_debug("claimed", {{"work", name_of(work)}, {"job", active->claim.job}, {"partition", active->claim.partition}});

  const Status done = perform(work, *active);
  if (done) {
    rooms_.signal.announce();
  } else {
    end_failed(work, *active, done.error(), stop.stop_requested());
  }
  std::lock_guard lock(mutex_);
  active_.remove(active);
}

Status Worker::perform(const Work& work, Active& active) {
  const std::stop_token stop = active.stop.get_token();
  if (const auto* plan = std::get_if<PlanWork>(&work)) {
    return run_plan(*plan, rooms_, keepers_, active.progress.pressure, stop);
  }
  if (const auto* clean = std::get_if<CleanWork>(&work)) return clean_job(*clean, rooms_, stop);
  if (const auto* partition = std::get_if<PartitionWork>(&work)) {
    const Format* format = rooms_.formats.find(partition->job.spec.format);
    const std::int64_t encoder = format == nullptr ? 0 : format->traits().encoder_memory;
    const auto memory = rooms_.memory.reserve(partition_memory(partition->job.part_size, encoder), stop);
    if (!memory) return fail(external_error("worker_stopping", "the worker is shutting down"));
    return run_partition(*partition, rooms_, active.progress, stop);
  }
  const auto& assemble = std::get<AssembleWork>(work);
  const auto memory = rooms_.memory.reserve(partition_memory(assemble.job.part_size, 0), stop);
  if (!memory) return fail(external_error("worker_stopping", "the worker is shutting down"));
  return publish_export(assemble, rooms_, stop);
}

void Worker::end_failed(const Work& work, const Active& active, const Error& error, bool stopping) {
  const Claim& claim = active.claim;
  const bool lost = active.lost || error.code == "claim_lost";
  if (lost) {
    rooms_.metrics.claim_lost(name_of(work));
    log_info("claim lost: cancelled, or somebody else owns this work",
             {{"job", claim.job}, {"partition", claim.partition}});
  } else if (!stopping) {
    rooms_.metrics.work_retried(name_of(work));
    log_warn("work failed", {{"job", claim.job},
                             {"partition", claim.partition},
                             {"code", error.code},
                             {"retriable", error.retriable},
                             {"error", error.message}});
  }
  if (lost || stopping) {
    // A lost claim is handed back too: of a cancelled job that lets cleaning begin, else it changes nothing.
    note_unended(rooms_.queue.hand_back(claim));
  } else {
    const Result<bool> failed = rooms_.queue.give_up(claim, error, options_.retry);
    if (failed && *failed) rooms_.metrics.export_finished(format_of(work), "failed");
    note_unended(failed ? Status() : fail(failed.error()));
  }
  rooms_.signal.announce();
}

void Worker::run_heartbeat(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    beat();
    rooms_.clock.sleep_for(options_.heartbeat, stop);
  }
}

void Worker::beat() {
  std::vector<PartitionProgress> progress;
  {
    std::lock_guard lock(mutex_);
    for (const auto& active : active_) {
      progress.push_back(
          {active->claim, active->progress.rows, active->progress.bytes, active->progress.pressure.text()});
    }
  }
  const auto begun = rooms_.clock.steady_now();
  const Result<std::vector<Claim>> lost = rooms_.queue.heartbeat(id(), progress);
  if (lost) {
    std::lock_guard lock(mutex_);
    last_beat_ = begun;
    for (const auto& active : active_) {
      const bool is_lost =
          std::any_of(lost->begin(), lost->end(), [&](const Claim& claim) { return same_claim(claim, active->claim); });
      if (!is_lost) continue;
      active->lost = true;
      active->stop.request_stop();
    }
    return;
  }
  if (lost.error().code == "worker_lost") {
    lose_all("this worker was silent longer than its lease");
    if (const Status registered = register_anew(); !registered) {
      log_error("cannot register again", {{"error", registered.error().message}});
    }
    return;
  }
  log_warn("heartbeat failed", {{"error", lost.error().message}});
}

void Worker::run_watch(const std::stop_token& stop) {
  while (true) {
    const auto now = rooms_.clock.steady_now();
    std::chrono::steady_clock::time_point end;
    bool any_held = false;
    {
      std::lock_guard lock(mutex_);
      end = last_beat_ + options_.lease;
      any_held = std::any_of(active_.begin(), active_.end(), [](const auto& active) { return !active->lost; });
    }
    // Looked at again soon: a store that answers claims but no heartbeats hands out more meanwhile.
    if (now >= end && any_held) lose_all("no heartbeat could be sent for a lease's length");
    const Duration left = now >= end ? options_.heartbeat : std::chrono::ceil<Duration>(end - now);
    if (!rooms_.clock.sleep_for(left, stop)) return;
  }
}

void Worker::lose_all(const char* why) {
  log_error("stopping all work", {{"reason", why}});
  std::lock_guard lock(mutex_);
  for (const auto& active : active_) {
    active->lost = true;
    active->stop.request_stop();
  }
}

}  // namespace longshore
