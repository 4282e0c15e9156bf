#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "encode/encoder.h"
#include "model/chunk_summary.h"
#include "model/export_spec.h"
#include "plan/export_plan.h"
#include "scan/row_source.h"

namespace longshore {

/// What a file is made of. Everything outlives the call.
struct LocalFileRequest {
  const ExportSpec& spec;
  const FormatTable& formats;
  SourceDatabase& source;
  const ExportPlan& plan;
  std::string output_path;  ///< `-`: standard output
};

struct LocalFile {
  ChunkSummary total;      ///< rows and fidelity; one entry for each column
  std::int64_t bytes = 0;  ///< of the file
};

/// Called after every batch with what was read and written so far.
using LocalFileProgress = std::function<void(std::int64_t rows, std::int64_t bytes)>;

/// Reads the plan's partitions one after the other and writes them as one file, which appears under its name when it is
/// whole. Memory does not grow with the file. The bytes of a format that is not streamable are held back in an unnamed
/// temporary file beside the output (in TMPDIR for standard output), because what comes before them is known last.
/// Errors: those of source and encoder; `output_failed` (external).
Result<LocalFile> write_local_file(const LocalFileRequest& request, const LocalFileProgress& progress,
                                   std::stop_token stop);

}  // namespace longshore
