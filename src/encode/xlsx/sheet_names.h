#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace longshore {

/// Names of `count` sheets: `wanted`, then `wanted (2)`, … Made to fit what Excel allows: 31 characters (UTF-16 units),
/// none of `: \ / ? * [ ]` and no control character (each becomes `_`), no `'` at an end, not `History`, not empty.
std::vector<std::string> sheet_names(std::string_view wanted, std::size_t count);

/// Headers as the columns of a table need them: not empty, no two alike (case-insensitive for ASCII), one line, at most
/// 255 characters.
std::vector<std::string> table_headers(const std::vector<std::string>& names);

}  // namespace longshore
