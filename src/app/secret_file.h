#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace longshore {

/// The content of a secret's file; made by `generate` on the first start, readable by its owner only. When two
/// processes start at once, both get what the first one wrote. Errors: `data_dir_unusable` (external).
Result<std::string> read_or_make_secret(const std::string& path, const std::function<Result<std::string>()>& generate);

}  // namespace longshore
