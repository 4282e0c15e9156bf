#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/job.h"

namespace longshore {

/// An export as the API shows it (`GET /v1/exports/{id}`). What the server left out is empty.
struct ExportView {
  std::string id;  ///< `exp_…`
  JobState state = JobState::queued;
  std::string export_type;
  std::string format;
  std::string compression;
  std::string requested_by;
  double progress_percent = 0;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::chrono::milliseconds elapsed{};
  std::optional<std::int64_t> estimated_rows;
  std::optional<std::int64_t> seconds_left;
  std::optional<int> queue_position;
  std::string source_pressure;  ///< empty or `none`: none
  std::string error_code;
  std::string error_message;
  std::string created_at;  ///< RFC 3339
  std::string expires_at;
  std::string json;  ///< all of it as the server sent it
};

struct ExportPage {
  std::vector<ExportView> exports;
  std::string next_page_token;  ///< empty on the last page
};

/// Errors: `bad_answer` (external, final) when `json` is no export.
Result<ExportView> parse_export(std::string_view json);
Result<ExportPage> parse_export_page(std::string_view json);

}  // namespace longshore
