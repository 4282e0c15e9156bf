#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace longshore {

/// What the text of a cell takes at most per byte: a control character becomes `_x0001_`.
inline constexpr std::size_t kXmlTextGrowth = 7;
/// Characters of a cell, counted as Excel does: in units of UTF-16.
inline constexpr std::size_t kMaxCellUnits = 32'767;

/// What scan_xml() saw. A scan that meets a special byte stops there and may miss later non-ASCII bytes.
inline constexpr unsigned kXmlSpecial = 1;   ///< `& < >`, a byte below 0x20, or `_x`
inline constexpr unsigned kXmlNonAscii = 2;  ///< a byte from 0x80 on

/// Copies a run of any length while searching it for what cannot stand in a cell as it is. Without a special byte all
/// of it is copied. REQUIRES: n writable bytes at `out`.
unsigned scan_xml(const char* from, std::size_t n, char* out);
/// The same without a branch on the length. REQUIRES: n <= 32; 32 readable bytes at `from`, 32 writable at `out`.
unsigned scan_xml_short(const char* from, std::size_t n, char* out);

/// Copies text as the content of a cell's `<t>`; returns the end, at most kXmlTextGrowth bytes for each byte.
///
/// Characters that XML 1.0 cannot hold (section 2.2: control characters, U+FFFE, U+FFFF) become `_xHHHH_`, and an
/// underscore that begins what looks like one becomes `_x005F_` (ECMA-376 part 1, section 22.9.2.19, ST_Xstring). CR is
/// `&#13;`, because a bare one is read as LF (XML 1.0, section 2.11); `_x000D_`, which Excel writes, is left as it is
/// by readers that do not know ST_Xstring. REQUIRES: `text` is UTF-8 and does not overlap `out`.
char* copy_xml_text(std::string_view text, char* out);

/// Text between the quotes of an attribute. Control characters become blanks. REQUIRES: UTF-8.
std::string xml_attribute(std::string_view text);
/// copy_xml_text() into a string.
std::string xml_text(std::string_view text);

/// How many bytes of `text` hold its first `units` UTF-16 units without cutting a character; text.size() when it has no
/// more. REQUIRES: UTF-8.
std::size_t bytes_of_units(std::string_view text, std::size_t units);

/// `text` with ill-formed bytes as U+FFFD.
std::string repaired_utf8(std::string_view text);

}  // namespace longshore
