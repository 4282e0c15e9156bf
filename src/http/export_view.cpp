#include "http/export_view.h"

#include <boost/json.hpp>
#include <cmath>

#include "base/random.h"
#include "http/json_text.h"

namespace longshore {

namespace {

namespace json = boost::json;

constexpr std::string_view kIdPrefix = "exp_";

json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

template <class T>
json::value value_or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::value text_or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

/// Rounded to 0.1, but never up to 100: that is said only of an export that has succeeded.
double shown_percent(double percent) {
  if (percent >= 100) return 100;
  return std::min(99.9, std::round(percent * 10) / 10);
}

/// `paced: why` → `{"state":"paced","reason":"why"}`.
json::object source_pressure(std::string_view pressure) {
  if (pressure.empty()) return {{"state", "none"}, {"reason", nullptr}};
  const std::size_t colon = pressure.find(':');
  std::string_view reason = colon == std::string_view::npos ? std::string_view() : pressure.substr(colon + 1);
  while (reason.starts_with(' ')) reason.remove_prefix(1);
  return {{"state", pressure.substr(0, colon)}, {"reason", text_or_null(reason)}};
}

/// What can be done with the export as it is now.
json::object links_of(const ExportJob& job, const std::string& public_url) {
  const std::string self = export_url(public_url, job.id);
  json::object links{{"status", self}};
  if (!is_terminal(job.state)) links["cancel"] = self + "/cancel";
  links["partitions"] = self + "/partitions";
  if (job.state == JobState::succeeded) {
    links["downloadUrl"] = self + "/download-url";
    links["download"] = self + "/download";
    links["manifest"] = self + "/manifest";
    links["downloads"] = self + "/downloads";
  }
  return links;
}

json::array fidelity_of(const JobView& view) {
  json::array columns;
  for (std::size_t i = 0; i < view.fidelity.size() && i < view.job.spec.columns.size(); ++i) {
    const ColumnFidelity& counts = view.fidelity[i];
    columns.push_back(json::object{{"column", view.job.spec.columns[i].name},
                                   {"guarded", counts.guarded},
                                   {"stringified", counts.stringified},
                                   {"truncated", counts.truncated},
                                   {"replaced", counts.replaced}});
  }
  return columns;
}

json::object export_object(const JobView& view, const std::string& public_url) {
  const ExportJob& job = view.job;
  const bool has_file = job.state == JobState::succeeded || job.state == JobState::expired;
  const bool estimated = job.estimated_rows > 0 || job.partition_count > 0;
  json::object out{
      {"exportId", export_id(job.id)},
      {"status", to_string(job.state)},
      {"exportType", job.spec.dataset.name},
      {"format", job.spec.format},
      {"compression", to_string(job.spec.compression)},
      {"consistency", to_string(job.spec.consistency)},
      {"title", text_or_null(job.spec.title)},
      {"requestedBy", job.requested_by.str()},
      {"createdAt", to_rfc3339(job.created_at)},
      {"startedAt", time_or_null(job.started_at)},
      {"completedAt", time_or_null(job.completed_at)},
      {"expiresAt", has_file ? json::value(to_rfc3339(job.expires_at)) : json::value(nullptr)},
      {"progressPercent", shown_percent(view.progress_percent)},
      {"metrics", json::object{{"totalRowsProcessed", job.row_count},
                               {"totalBytesWritten", job.byte_count},
                               {"elapsedTimeMs", view.elapsed.count()}}},
      {"estimatedTotalRows", estimated ? json::value(job.estimated_rows) : json::value(nullptr)},
      {"estimatedSecondsLeft", value_or_null(view.estimated_seconds_left)},
      {"queuePosition", value_or_null(view.queue_position)},
      {"sourcePressure", source_pressure(job.source_pressure)},
      {"error", nullptr},
      {"links", links_of(job, public_url)},
  };
  if (!job.error_code.empty()) {
    out["error"] = json::object{{"code", job.error_code}, {"message", job.error_message}};
  }
  if (!view.fidelity.empty()) out["fidelity"] = fidelity_of(view);
  return out;
}

json::value key_or_null(const std::optional<KeyTuple>& key) {
  return key ? json::value(json::array(key->begin(), key->end())) : json::value(nullptr);
}

}  // namespace

std::string export_id(const JobId& id) {
  return std::string(kIdPrefix) + id.str();
}

Result<JobId> parse_export_id(std::string_view text) {
  if (!text.starts_with(kIdPrefix) || !is_uuid(text.substr(kIdPrefix.size()))) {
    return fail(user_error("export_not_found", "There is no export of that id."));
  }
  return JobId(std::string(text.substr(kIdPrefix.size())));
}

std::string export_url(const std::string& public_url, const JobId& id) {
  return public_url + "/v1/exports/" + export_id(id);
}

std::string created_json(const JobView& view, const std::string& public_url) {
  const std::string self = export_url(public_url, view.job.id);
  return to_text(json::object{{"exportId", export_id(view.job.id)},
                              {"status", to_string(view.job.state)},
                              {"createdAt", to_rfc3339(view.job.created_at)},
                              {"links", json::object{{"status", self}, {"cancel", self + "/cancel"}}}});
}

std::string export_json(const JobView& view, const std::string& public_url) {
  return to_text(export_object(view, public_url));
}

std::string page_json(const JobPage& page, const std::string& public_url) {
  json::array exports;
  for (const JobView& view : page.jobs) exports.push_back(export_object(view, public_url));
  return to_text(json::object{{"exports", std::move(exports)}, {"nextPageToken", text_or_null(page.next_page_token)}});
}

std::string estimate_json(const Estimate& estimate) {
  return to_text(json::object{{"rows", estimate.rows},
                              {"exact", estimate.exact},
                              {"bytes", estimate.bytes},
                              {"seconds", estimate.seconds},
                              {"maxRows", value_or_null(estimate.max_rows)},
                              {"sheets", value_or_null(estimate.sheets)},
                              {"limits", json::array(estimate.limits_hit.begin(), estimate.limits_hit.end())}});
}

std::string download_link_json(const JobId& id, const DownloadLink& link) {
  return to_text(json::object{
      {"exportId", export_id(id)}, {"downloadUrl", link.url}, {"expiresInSeconds", link.lifetime.count()}});
}

std::string partitions_json(const JobId& id, const std::vector<Partition>& partitions) {
  json::array items;
  for (const Partition& partition : partitions) {
    items.push_back(json::object{
        {"index", partition.index},
        {"state", to_string(partition.state)},
        {"rows", partition.row_count},
        {"bytes", partition.byte_count},
        {"worker", text_or_null(partition.worker)},
        {"attempts", partition.attempts},
        {"range",
         json::object{{"after", key_or_null(partition.range.after)}, {"upto", key_or_null(partition.range.upto)}}},
        {"startedAt", time_or_null(partition.started_at)},
        {"completedAt", time_or_null(partition.completed_at)},
    });
  }
  return to_text(json::object{{"exportId", export_id(id)}, {"partitions", std::move(items)}});
}

std::string downloads_json(const JobId& id, const std::vector<DownloadAudit>& downloads) {
  json::array items;
  for (const DownloadAudit& download : downloads) {
    items.push_back(json::object{{"id", download.id},
                                 {"actorId", download.actor.str()},
                                 {"tenantId", download.tenant.str()},
                                 {"clientIp", download.client_ip},
                                 {"userAgent", text_or_null(download.user_agent)},
                                 {"downloadedAt", to_rfc3339(download.at)}});
  }
  return to_text(json::object{{"exportId", export_id(id)}, {"downloads", std::move(items)}});
}

}  // namespace longshore
