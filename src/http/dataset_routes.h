#pragma once

#include <string>
#include <vector>

#include "http/api_context.h"
#include "http/router.h"
#include "jobs/export_service.h"

namespace longshore {

/// A format as `GET /v1/datasets` shows it. Told by app/, so that http/ need not know encoders.
struct FormatView {
  std::string name;  ///< `csv`
  std::string content_type;
  std::string extension;
  std::vector<std::string> compressions;  ///< `none`, `gzip`, …
  std::int64_t max_rows = 0;              ///< 0: no limit
  std::int64_t sheet_rows = 0;            ///< of a sheet; 0: there are no sheets
};

/// One dataset: columns, time filter, filters with their operators, formats with options, limits.
std::string dataset_json(const Dataset& dataset, const std::vector<FormatView>& formats);
/// `{"datasets":[…]}`.
std::string datasets_json(const std::vector<Dataset>& datasets, const std::vector<FormatView>& formats);

/// Adds `/v1/datasets` and `/v1/datasets/{name}`. `context` and `service` must outlive the router.
void append_dataset_routes(Router& router, const ApiContext& context, ExportService& service,
                           const std::vector<FormatView>& formats);

}  // namespace longshore
