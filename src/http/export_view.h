#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/export_service.h"

namespace longshore {

/// The JSON that the API shows of exports (names and shapes: design contract, documented in docs/). Pure functions.
/// `public_url` is where clients reach this server, e.g. `https://exports.example.com`, without a slash at the end.

/// `exp_` + the job's UUID.
std::string export_id(const JobId& id);
/// The job's UUID of an export id; an id of any other form is `export_not_found`, like one that never was.
Result<JobId> parse_export_id(std::string_view text);
/// `https://HOST/v1/exports/exp_…`.
std::string export_url(const std::string& public_url, const JobId& id);

/// The answer of `POST /v1/exports`: id, status, createdAt, links.
std::string created_json(const JobView& view, const std::string& public_url);
/// The answer of `GET /v1/exports/{id}`.
std::string export_json(const JobView& view, const std::string& public_url);
/// `{"exports":[…],"nextPageToken":null|"…"}`.
std::string page_json(const JobPage& page, const std::string& public_url);
std::string estimate_json(const Estimate& estimate);
std::string download_link_json(const JobId& id, const DownloadLink& link);
std::string partitions_json(const JobId& id, const std::vector<Partition>& partitions);
std::string downloads_json(const JobId& id, const std::vector<DownloadAudit>& downloads);

}  // namespace longshore
