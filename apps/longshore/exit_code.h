#pragma once

#include <string>

#include "base/error.h"

namespace longshore {

/// What the process ends with; documented in docs/cli.md and part of the interface.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,  ///< the operation failed: export failed or cancelled, verification failed, findings in a catalog
  kExitUsage = 2,   ///< wrong arguments, or a request the server calls invalid
  kExitUnauthorised = 3,  ///< no good token, or a permission is missing
  kExitNotFound = 4,      ///< export, dataset or file (also catalog and configuration) does not exist
  kExitUnavailable = 5,   ///< server, source database or store away
  kExitInterrupted = 130,
};

ExitCode exit_code_of(const Error& error);

/// `longshore: what. What to do.` and a line for each detail: what people read of an error.
std::string describe_error(const Error& error);

/// Prints describe_error() to stderr and returns exit_code_of(). Nothing is printed for the code `stopped`: whoever
/// stopped it has been told.
int report_error(const Error& error);

}  // namespace longshore
