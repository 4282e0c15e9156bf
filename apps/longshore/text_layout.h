#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace longshore {

/// Text as a terminal may be shown it: control characters (which could carry escape sequences of a hostile server or
/// file name) and invalid UTF-8 become `?`, line breaks and tabs a space.
std::string printable(std::string_view text);

/// Terminal cells that `text` takes: 2 for East Asian wide characters and emoji, 0 for combining marks.
/// REQUIRES: valid UTF-8 (see printable()).
int display_width(std::string_view text);

/// `text` cut to at most `cells`, with an ellipsis as its last cell when something was cut.
std::string cut_to_width(std::string_view text, int cells, bool unicode = true);

/// `text` with spaces up to `cells`, put before it when `right` is set.
std::string pad_to_width(std::string text, int cells, bool right = false);

/// `1,234,567`.
std::string format_count(std::int64_t n);
/// At most five characters: `987`, `12.3k`, `4.56M`.
std::string format_short_count(double n);
/// Decimal units with three digits: `987 B`, `52.3 MB`.
std::string format_bytes(std::int64_t n);
/// `8 s`, `3:05`, `1:02:03`; under ten seconds with a tenth when `tenths` is set. `seconds` >= 0.
std::string format_duration(double seconds, bool tenths = false);

/// Rows of text under headings, for people.
struct TextTable {
  struct Heading {
    std::string name;
    bool right = false;  ///< numbers
    int shrink_to = 0;   ///< may be cut down to this many cells when the terminal is narrow; 0: never cut
    int drop_order = 0;  ///< columns with the highest number go first when cutting is not enough; 0: never dropped
  };
  std::vector<Heading> headings;
  std::vector<std::vector<std::string>> rows;  ///< one text for each heading; made printable here
};

/// The table in lines of at most `width` cells (0: no limit), each ended by a newline.
std::string render_table(const TextTable& table, int width, bool unicode = true);

}  // namespace longshore
