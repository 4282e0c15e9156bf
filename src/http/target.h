#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace longshore {

/// A request target (RFC 9112 section 3.2), decoded.
struct Target {
  std::string path;                   ///< as sent, without scheme, authority and query; `*` for `OPTIONS *`
  std::vector<std::string> segments;  ///< percent-decoded
  std::vector<Field> query;           ///< percent-decoded
};

/// Decodes origin form (`/a/b?c=d`), absolute form (`http://host/a`) and `*`. The path is split before it is decoded,
/// so an encoded slash can never make a segment of its own.
///
/// Errors, all `malformed_request`: an escape that is not two hexadecimal digits, a `.` or `..` segment in any
/// spelling, a slash, backslash, NUL or control character inside of a segment, text that is not UTF-8, a target over
/// 8,000 bytes
/// (`target_too_long`), any other form. A doubled or trailing slash is an empty segment, which no route matches.
Result<Target> parse_target(std::string_view target);

}  // namespace longshore
