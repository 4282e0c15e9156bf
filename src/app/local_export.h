#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/formats.h"
#include "base/result.h"
#include "model/chunk_summary.h"
#include "model/principal.h"

namespace longshore {

struct LocalExportRequest {
  std::string catalog_path;
  Principal who;            ///< the tenant to bind on; usually with the permission `*`
  std::string body;         ///< as of `POST /v1/exports`
  std::string output_path;  ///< `-`: standard output
  FormatLimits limits;
  PdfFontChoice pdf_fonts;
};

struct LocalExportProgress {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::int64_t estimated_rows = 0;
};

struct LocalExportReport {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::chrono::milliseconds elapsed{};
  std::vector<std::string> columns;      ///< names, in order
  std::vector<ColumnFidelity> fidelity;  ///< one for each column
};

/// Exports from a source of the catalog straight to a file or standard output: no server, no store. The file appears
/// under its name when it is whole. `progress` is called after every batch.
/// Errors: those of the configured fonts, the catalog, the request, the source and the encoder; `too_many_rows` (user)
/// when the format cannot hold them; `output_failed` (external).
Result<LocalExportReport> run_local_export(const LocalExportRequest& request,
                                           const std::function<void(const LocalExportProgress&)>& progress,
                                           std::stop_token stop);

}  // namespace longshore
