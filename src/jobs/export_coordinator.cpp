#include "jobs/export_coordinator.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stop_token>
#include <thread>
#include <utility>

#include "assemble/manifest.h"
#include "base/digest.h"
#include "base/random.h"
#include "catalog/request.h"
#include "jobs/estimate.h"
#include "jobs/format_choices.h"
#include "jobs/page_token.h"
#include "jobs/request_digest.h"

namespace longshore {

namespace {

constexpr std::chrono::seconds kEstimatePatience{5};

Error not_found(const JobId& id) {
  return user_error("export_not_found", "there is no export exp_" + id.str() + "; it may belong to another tenant");
}

Status may_read(const Principal& who, const ExportSpec& spec) {
  const auto denied = [](const std::string& permission) {
    return fail(user_error("permission_denied", "this export holds data that needs the permission " + permission));
  };
  if (!who.may(spec.dataset.permission)) return denied(spec.dataset.permission);
  for (const Column& column : spec.columns) {
    if (!who.may(column.permission)) return denied(column.permission);
  }
  return {};
}

std::chrono::milliseconds elapsed(const ExportJob& job, Timestamp now) {
  if (!job.started_at) return std::chrono::milliseconds{0};
  const Timestamp end = job.completed_at.value_or(now);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::max(end - *job.started_at, Duration{0}));
}

}  // namespace

double progress_percent(const ExportJob& job) {
  if (job.state == JobState::succeeded || job.state == JobState::expired) return 100.0;
  if (job.estimated_rows <= 0 || job.row_count <= 0) return 0.0;
  // An estimate may be too low; the last percent is for assembly.
  return std::min(99.0, 100.0 * static_cast<double>(job.row_count) / static_cast<double>(job.estimated_rows));
}

std::string artefact_key(const TenantId& tenant, const JobId& job, Timestamp now, const std::string& extension) {
  std::string key;
  for (const char c : tenant.str()) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (plain) {
      key += c;
    } else {
      key += '=' + to_hex(std::string_view(&c, 1));
    }
  }
  // 64 characters of another script would make a segment that no store takes. `==` comes of no escape, so such a name
  // is nobody else's.
  constexpr std::size_t kLongestTenant = 200;
  if (key.size() > kLongestTenant) key = "==" + sha256_hex(tenant.str()).substr(0, 32);
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(now)};
  char month[32];
  std::snprintf(month, sizeof month, "/exports/%04d/%02u/", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()));
  return key + month + job.str() + "." + extension;
}

std::string download_file_name(const ExportJob& job, const std::string& extension) {
  const std::string base =
      job.spec.title.empty() ? job.spec.dataset.name + "_" + to_rfc3339(job.created_at).substr(0, 10) : job.spec.title;
  return base + "." + extension;
}

Result<ExportSpec> ExportCoordinator::validate(const Principal& who, std::string_view body) const {
  return validate_request(body, rooms_.catalog, who, format_choices(rooms_.formats));
}

Result<CreateOutcome> ExportCoordinator::create(const Principal& who, std::string_view body,
                                                const std::string& idempotency_key) {
  TRY(ExportSpec spec, validate(who, body));
  TRY(const std::string digest, request_digest(who, body));
  TRY(const Timestamp now, rooms_.jobs.now());
  NewJob request;
  request.job.id = JobId(uuid_v7(now));
  request.job.tenant = who.tenant;
  request.job.requested_by = who.user;
  request.job.object_key = artefact_key(who.tenant, request.job.id, now, rooms_.formats.extension(spec));
  request.retention = spec.dataset.retention;
  spec.requested_at = time_to_state(now);
  request.job.spec = std::move(spec);
  request.idempotency_key = idempotency_key;
  request.request_digest = digest;

  TRY(InsertOutcome inserted, rooms_.jobs.insert(request));
  if (!inserted.replayed) {
    rooms_.metrics.export_created(inserted.job.spec.format);
    rooms_.signal.announce();
  }
  TRY(JobView view, view_of(std::move(inserted.job)));
  return CreateOutcome{std::move(view), inserted.replayed};
}

Result<double> ExportCoordinator::rows_per_second(const Principal& who, const ExportSpec& spec) {
  // What this dataset did lately in this format; before the first export, a cautious figure for two cores.
  constexpr double kUnknown = 100'000;
  JobFilter lately;
  lately.tenant = who.tenant;
  lately.state = JobState::succeeded;
  lately.export_type = spec.dataset.name;
  lately.limit = 20;
  TRY(const std::vector<ExportJob> jobs, rooms_.jobs.list(lately));
  double rows = 0;
  double seconds = 0;
  for (const ExportJob& job : jobs) {
    if (job.spec.format != spec.format || !job.started_at || !job.completed_at) continue;
    rows += static_cast<double>(job.row_count);
    seconds += std::chrono::duration<double>(*job.completed_at - *job.started_at).count();
  }
  return rows > 0 && seconds > 0 ? rows / seconds : kUnknown;
}

Result<Estimate> ExportCoordinator::estimate(const Principal& who, std::string_view body) {
  TRY(const ExportSpec spec, validate(who, body));
  TRY(SourceDatabase* const source, rooms_.sources.find(spec.dataset.source));
  // Exports may have all connections of the source for hours; a request does not wait for that.
  std::stop_source enough;
  const std::jthread timer([&](const std::stop_token& done) {
    if (SystemClock().sleep_for(kEstimatePatience, done)) enough.request_stop();
  });
  const auto size = source->estimate(spec, enough.get_token());
  if (!size && size.error().code == "scan_stopped") {
    return fail(external_error("source_busy", "no connection to the source was free in time; try again later", true));
  }
  if (!size) return fail(size.error());
  TRY(const double speed, rows_per_second(who, spec));
  return make_estimate(*size, spec, rooms_.formats.find(spec.format)->traits(), speed);
}

Result<ExportJob> ExportCoordinator::find(const Principal& who, const JobId& id) {
  TRY(std::optional<ExportJob> job, rooms_.jobs.find(who.tenant, id));
  if (!job) return fail(not_found(id));
  return *std::move(job);
}

Result<JobView> ExportCoordinator::view_of(ExportJob job) {
  JobView view;
  view.progress_percent = progress_percent(job);
  // Asked only where time goes on: each question is a round trip, and most reads are of exports that wait or are done.
  Timestamp now{};
  if (job.state == JobState::running) {
    TRY(now, rooms_.jobs.now());
  }
  view.elapsed = elapsed(job, now);
  if (job.state == JobState::queued) {
    TRY(view.queue_position, queue_.position_of(job.id));
  }
  if (job.state == JobState::running && view.progress_percent > 0) {
    const double left = static_cast<double>(view.elapsed.count()) * (100.0 / view.progress_percent - 1) / 1000;
    view.estimated_seconds_left = static_cast<std::int64_t>(std::ceil(left));
  }
  if (job.state == JobState::succeeded) {
    // The status of a finished export must not fail because the store is away for a moment.
    if (auto fidelity = fidelity_of(job)) view.fidelity = *std::move(fidelity);
  }
  view.job = std::move(job);
  return view;
}

Result<JobView> ExportCoordinator::get(const Principal& who, const JobId& id) {
  TRY(ExportJob job, find(who, id));
  return view_of(std::move(job));
}

Result<JobPage> ExportCoordinator::list(const Principal& who, const JobQuery& query) {
  JobFilter filter;
  filter.tenant = who.tenant;
  filter.state = query.state;
  filter.export_type = query.export_type;
  filter.requested_by = query.requested_by;
  filter.limit = query.page_size + 1;  // one more tells whether there is a next page
  if (!query.page_token.empty()) {
    TRY(filter.after, read_page_token(query.page_token));
  }
  TRY(std::vector<ExportJob> jobs, rooms_.jobs.list(filter));
  JobPage page;
  const bool more = static_cast<int>(jobs.size()) > query.page_size;
  if (more) {
    jobs.pop_back();
    page.next_page_token = make_page_token(jobs.back().created_at, jobs.back().id);
  }
  for (ExportJob& job : jobs) {
    TRY(JobView view, view_of(std::move(job)));
    page.jobs.push_back(std::move(view));
  }
  return page;
}

Result<JobView> ExportCoordinator::cancel(const Principal& who, const JobId& id) {
  TRY(ExportJob job, rooms_.jobs.cancel(who.tenant, id));
  rooms_.metrics.export_finished(job.spec.format, "cancelled");
  rooms_.signal.announce();
  return view_of(std::move(job));
}

Status ExportCoordinator::remove(const Principal& who, const JobId& id) {
  TRY(const ExportJob job, find(who, id));
  CHECK_OK(rooms_.jobs.expire(who.tenant, id));
  if (job.state == JobState::succeeded) rooms_.metrics.export_finished(job.spec.format, "expired");
  rooms_.signal.announce();
  return {};
}

Result<DownloadLink> ExportCoordinator::mint_link(const Principal& who, const JobId& id,
                                                  std::optional<std::chrono::seconds> lifetime,
                                                  const ClientInfo& client) {
  TRY(const ExportJob job, find(who, id));
  CHECK_OK(may_read(who, job.spec));
  if (job.state == JobState::expired) {
    return fail(user_error("export_expired", "the file was removed at the end of its retention; export it again"));
  }
  if (job.state != JobState::succeeded) {
    return fail(user_error("export_not_ready",
                           "the export is " + std::string(to_string(job.state)) + ", there is no file to download"));
  }
  const std::chrono::seconds wanted = lifetime.value_or(links_.lifetime);
  if (wanted.count() < 1 || wanted > links_.lifetime_max) {
    Error invalid = user_error("invalid_request", "the link's lifetime is not allowed");
    invalid.details.push_back(
        {"/expiresInSeconds", "out_of_range", "must be from 1 to " + std::to_string(links_.lifetime_max.count())});
    return fail(std::move(invalid));
  }
  // A link dies with the credentials that sign it; what is promised must hold.
  TRY(const std::chrono::seconds longest, rooms_.links.longest_lifetime());
  LinkOptions options;
  options.lifetime = std::min(wanted, longest);
  options.file_name = download_file_name(job, rooms_.formats.extension(job.spec));
  options.content_type = rooms_.formats.content_type(job.spec);
  TRY(std::string url, rooms_.links.sign(job.object_key, options));

  TRY(const Timestamp now, rooms_.jobs.now());
  CHECK_OK(rooms_.jobs.add_download({uuid_v7(now), job.id, who.user, who.tenant, client.ip, client.user_agent, now}));
  return DownloadLink{std::move(url), options.lifetime};
}

Result<std::string> ExportCoordinator::read_manifest(const ExportJob& job) {
  const std::string key = manifest_object_key(job.object_key);
  TRY(const ObjectInfo info, rooms_.store.head(key));
  ByteBuffer bytes;
  CHECK_OK(rooms_.store.get(key, 0, info.size, bytes));
  return std::string(bytes.view());
}

Result<std::string> ExportCoordinator::manifest(const Principal& who, const JobId& id) {
  TRY(const ExportJob job, find(who, id));
  if (job.state == JobState::expired) {
    return fail(user_error("export_expired", "the manifest was removed together with the file"));
  }
  if (job.state != JobState::succeeded) {
    return fail(user_error("export_not_ready", "the export is " + std::string(to_string(job.state)) +
                                                   "; the manifest comes with the file"));
  }
  return read_manifest(job);
}

Result<std::vector<ColumnFidelity>> ExportCoordinator::fidelity_of(const ExportJob& job) {
  constexpr std::size_t kRemembered = 1000;
  {
    std::lock_guard lock(fidelity_mutex_);
    if (const auto known = fidelity_.find(job.id); known != fidelity_.end()) return known->second;
  }
  TRY(const std::string manifest, read_manifest(job));
  TRY(std::vector<ColumnFidelity> fidelity, manifest_fidelity(manifest));
  std::lock_guard lock(fidelity_mutex_);
  if (fidelity_.size() >= kRemembered) fidelity_.clear();
  fidelity_[job.id] = fidelity;
  return fidelity;
}

Result<std::vector<Partition>> ExportCoordinator::partitions(const Principal& who, const JobId& id) {
  TRY(const ExportJob job, find(who, id));
  return rooms_.jobs.partitions(job.id);
}

Result<std::vector<DownloadAudit>> ExportCoordinator::downloads(const Principal& who, const JobId& id) {
  TRY(const ExportJob job, find(who, id));
  return rooms_.jobs.downloads(job.id);
}

std::vector<Dataset> ExportCoordinator::datasets(const Principal& who) {
  std::vector<Dataset> allowed;
  for (const Dataset& dataset : rooms_.catalog.datasets()) {
    if (!who.may(dataset.permission)) continue;
    Dataset seen = dataset;
    seen.columns = visible_columns(dataset, who);
    allowed.push_back(std::move(seen));
  }
  return allowed;
}

Result<std::vector<WorkerRecord>> ExportCoordinator::workers(const Principal& who) {
  constexpr const char* kPermission = "workers.read";
  if (!who.may(kPermission)) {
    return fail(
        user_error("permission_denied", std::string("seeing the workers needs the permission \"") + kPermission + '"'));
  }
  return rooms_.jobs.workers();
}

}  // namespace longshore
