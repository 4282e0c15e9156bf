#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace longshore {

/// Replaces each `${NAME}` by that environment variable; `$${` stands for a plain `${`. Reads the process's
/// environment. Errors: `bad_value` (a variable that is not set, or `${` without a name and `}`).
Result<std::string> expand_environment(std::string_view text);

}  // namespace longshore
