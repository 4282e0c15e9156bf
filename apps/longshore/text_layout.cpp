#include "cli/text_layout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace longshore {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  ///< bytes; 0 when the bytes are not UTF-8
};

/// Decodes the code point at the beginning of `text`, refusing overlong forms and surrogates (RFC 3629).
CodePoint decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t value = lead & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return {};
    value = value << 6 | (next & 0x3F);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length};
}

struct CodeRange {
  char32_t first, last;
};

template <std::size_t N>
bool within(const std::array<CodeRange, N>& ranges, char32_t c) {
  const auto at = std::upper_bound(ranges.begin(), ranges.end(), c,
                                   [](char32_t value, const CodeRange& range) { return value < range.first; });
  return at != ranges.begin() && c <= std::prev(at)->last;
}

// Blocks, not single characters: terminals differ in the details anyway, and a table that is one cell off does no harm.
constexpr std::array<CodeRange, 13> kZeroWidth{{{0x0300, 0x036F},
                                                {0x0483, 0x0489},
                                                {0x0591, 0x05BD},
                                                {0x0610, 0x061A},
                                                {0x064B, 0x065F},
                                                {0x093C, 0x093C},
                                                {0x0941, 0x0948},
                                                {0x0E34, 0x0E3A},
                                                {0x0E47, 0x0E4E},
                                                {0x200B, 0x200F},
                                                {0x20D0, 0x20FF},
                                                {0xFE00, 0xFE0F},
                                                {0xFE20, 0xFE2F}}};
constexpr std::array<CodeRange, 12> kWide{{{0x1100, 0x115F},
                                           {0x2E80, 0x303E},
                                           {0x3041, 0x33FF},
                                           {0x3400, 0x4DBF},
                                           {0x4E00, 0x9FFF},
                                           {0xA000, 0xA4CF},
                                           {0xAC00, 0xD7A3},
                                           {0xF900, 0xFAFF},
                                           {0xFE30, 0xFE6F},
                                           {0xFF00, 0xFF60},
                                           {0x1F300, 0x1FAFF},
                                           {0x20000, 0x3FFFD}}};

int cell_width(char32_t c) {
  return within(kZeroWidth, c) ? 0 : within(kWide, c) ? 2 : 1;
}

int total_width(const std::vector<int>& widths, const std::vector<bool>& shown) {
  int total = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (shown[i]) total += widths[i] + (total == 0 ? 0 : 2);
  }
  return total;
}

/// Narrows what may be cut, then drops what may be dropped, until the columns fit into `limit` cells.
void fit_columns(const TextTable& table, int limit, std::vector<int>& widths, std::vector<bool>& shown) {
  while (total_width(widths, shown) > limit) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const int floor = table.headings[i].shrink_to;
      if (shown[i] && floor != 0 && widths[i] > floor && (widest == widths.size() || widths[i] > widths[widest])) {
        widest = i;
      }
    }
    if (widest != widths.size()) {
      --widths[widest];
      continue;
    }
    std::size_t dropped = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const int order = table.headings[i].drop_order;
      if (shown[i] && order != 0 && (dropped == widths.size() || order > table.headings[dropped].drop_order))
        dropped = i;
    }
    if (dropped == widths.size()) return;  // the rest is wider than the terminal and stays whole
    shown[dropped] = false;
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = decode(text);
    // C0, C1 and bidirectional overrides.
    const bool steers = c.value < 0x20 || (c.value >= 0x7F && c.value < 0xA0) ||
                        (c.value >= 0x202A && c.value <= 0x202E) || (c.value >= 0x2066 && c.value <= 0x2069);
    if (c.length != 0 && (c.value == '\n' || c.value == '\r' || c.value == '\t')) {
      out += ' ';
    } else if (c.length == 0 || steers) {
      out += '?';
    } else {
      out += text.substr(0, c.length);
    }
    text.remove_prefix(std::max<std::size_t>(c.length, 1));
  }
  return out;
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const CodePoint c = decode(text);
    width += c.length == 0 ? 1 : cell_width(c.value);
    text.remove_prefix(std::max<std::size_t>(c.length, 1));
  }
  return width;
}

std::string cut_to_width(std::string_view text, int cells, bool unicode) {
  if (display_width(text) <= cells) return std::string(text);
  const std::string_view ellipsis = unicode ? "…" : "~";
  std::string out;
  int width = 1;
  while (!text.empty()) {
    const CodePoint c = decode(text);
    width += c.length == 0 ? 1 : cell_width(c.value);
    if (width > cells) break;
    const std::size_t length = std::max<std::size_t>(c.length, 1);
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  if (cells > 0) out += ellipsis;
  return out;
}

std::string pad_to_width(std::string text, int cells, bool right) {
  const int missing = cells - display_width(text);
  if (missing <= 0) return text;
  if (right) {
    text.insert(0, static_cast<std::size_t>(missing), ' ');
  } else {
    text.append(static_cast<std::size_t>(missing), ' ');
  }
  return text;
}

std::string format_count(std::int64_t n) {
  std::string digits = std::to_string(n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

namespace {

/// `value` with three significant digits, without rounding up into a fourth.
std::string three_digits(double value) {
  return value >= 99.95   ? fmt::format("{:.0f}", value)
         : value >= 9.995 ? fmt::format("{:.1f}", value)
                          : fmt::format("{:.2f}", value);
}

}  // namespace

std::string format_short_count(double n) {
  if (n < 999.5) return fmt::format("{:.0f}", n);
  constexpr std::array<char, 4> kUnits{'k', 'M', 'G', 'T'};
  std::size_t unit = 0;
  for (n /= 1000; n >= 999.5 && unit + 1 < kUnits.size(); n /= 1000) ++unit;
  return three_digits(n) + kUnits[unit];
}

std::string format_bytes(std::int64_t n) {
  if (n < 1000) return fmt::format("{} B", n);
  constexpr std::array<std::string_view, 5> kUnits{"kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(n) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < kUnits.size(); value /= 1000) ++unit;
  return fmt::format("{} {}", three_digits(value), kUnits[unit]);
}

std::string format_duration(double seconds, bool tenths) {
  if (tenths && seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string render_table(const TextTable& table, int width, bool unicode) {
  const std::size_t columns = table.headings.size();
  std::vector<std::vector<std::string>> cells;
  std::vector<int> widths(columns);
  for (std::size_t i = 0; i < columns; ++i) widths[i] = display_width(table.headings[i].name);
  for (const auto& row : table.rows) {
    auto& line = cells.emplace_back();
    for (std::size_t i = 0; i < columns; ++i) {
      line.push_back(printable(row[i]));
      widths[i] = std::max(widths[i], display_width(line.back()));
    }
  }
  std::vector<bool> shown(columns, true);
  if (width > 0) fit_columns(table, width, widths, shown);

  const auto last = static_cast<std::size_t>(std::find(shown.rbegin(), shown.rend(), true).base() - shown.begin());
  std::string out;
  const auto add_line = [&](const auto& text_of) {
    bool first = true;
    for (std::size_t i = 0; i < columns; ++i) {
      if (!shown[i]) continue;
      if (!first) out += "  ";
      first = false;
      const bool right = table.headings[i].right;
      const bool ends_line = i + 1 == last && !right;  // no spaces at the end of a line
      out += pad_to_width(cut_to_width(text_of(i), widths[i], unicode), ends_line ? 0 : widths[i], right);
    }
    out += '\n';
  };
  add_line([&](std::size_t i) -> const std::string& { return table.headings[i].name; });
  for (const auto& row : cells) add_line([&](std::size_t i) -> const std::string& { return row[i]; });
  return out;
}

}  // namespace longshore
