#pragma once

#include <string>

#include "base/result.h"

namespace longshore {

/// Makes the directory for its owner alone: records and files of all tenants lie in it. A server whose records, files
/// and keys lie elsewhere needs none. Errors: `data_dir_unusable` (external).
Status make_data_dir(const std::string& path);

}  // namespace longshore
