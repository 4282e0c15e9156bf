#pragma once

#include <cstddef>
#include <string_view>

namespace longshore {

/// Whether all bytes are ASCII.
bool is_ascii(std::string_view text);
/// Whether the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view text);

/// Copies `text` to `out`, each maximal ill-formed run as one U+FFFD (Unicode chapter 3.9, as Python and browsers do).
/// Writes at most 3 bytes per byte; returns the end. REQUIRES: `out` does not overlap `text`.
char* copy_as_utf8(std::string_view text, char* out);

}  // namespace longshore
