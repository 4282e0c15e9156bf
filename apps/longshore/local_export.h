#pragma once

#include <string>

#include "base/result.h"
#include "cli/export_request.h"

namespace longshore {

/// `export --local`: straight from a source of a catalog to a file, without a server.
struct LocalExportOptions {
  std::string catalog;
  std::string tenant;
  std::string user;    ///< may be empty
  std::string output;  ///< file; empty: DATASET.csv or the like; `-`: standard output
  bool quiet = false;
  bool json = false;
};

/// Runs it with a progress display on stderr. Returns an ExitCode. Errors: those of run_local_export(),
/// `bad_arguments`, `stopped`.
Result<int> export_locally(const ExportArguments& request, const LocalExportOptions& options);

}  // namespace longshore
