#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace longshore {

/// Copies `text` to `out`, escaped as the inside of a JSON string (RFC 8259 section 7: the quote, the backslash and
/// U+0000 to U+001F, with the two-character forms where there are such). Writes at most 6 bytes per byte; may leave 16
/// bytes of rubbish behind the returned end. REQUIRES: `text` is UTF-8.
char* copy_json_escaped(std::string_view text, char* out);

/// `text` as a JSON string with its quotes, for names. REQUIRES: `text` is UTF-8.
std::string json_string(std::string_view text);

/// Whether `text` is a number of RFC 8259 section 6.
bool is_json_number(std::string_view text);

/// What check_json() found.
struct JsonCheck {
  bool valid = false;
  bool line_breaks = false;  ///< CR or LF between tokens (inside a string they would be invalid)
};

/// Whether `text` is one JSON value of RFC 8259, at most kMaxJsonDepth deep. Does not check for UTF-8.
JsonCheck check_json(std::string_view text);
inline constexpr std::size_t kMaxJsonDepth = 4096;

}  // namespace longshore
