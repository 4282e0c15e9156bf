#include "cli/progress_bar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/text_layout.h"

namespace longshore {
namespace {

constexpr int kWantedBar = 14;  // texts give way for so much
constexpr int kMinBar = 8;
constexpr int kMaxBar = 40;
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

/// 0 to 100 without decimals, and 100 only when it is all there: 99.99 is still 99.
int whole_percent(double percent) {
  return static_cast<int>(std::floor(std::clamp(percent, 0.0, 100.0)));
}

std::string full_cells(int cells, std::string_view glyph) {
  std::string out;
  for (int i = 0; i < cells; ++i) out += glyph;
  return out;
}

std::string painted(std::string text, std::string_view colour, bool on) {
  if (!on || text.empty()) return text;
  return fmt::format("{}{}{}", colour, text, kReset);
}

std::string draw_known(double percent, int cells, const BarStyle& style) {
  const double filled = std::clamp(percent, 0.0, 100.0) / 100 * cells;
  auto whole = static_cast<int>(filled);
  if (!style.unicode) {
    return fmt::format("[{}{}]", painted(full_cells(whole, "#"), kGreen, style.colour),
                       painted(full_cells(cells - whole, "."), kDim, style.colour));
  }
  constexpr std::array<std::string_view, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighth = static_cast<std::size_t>((filled - whole) * 8);
  std::string done = full_cells(whole, "█");
  if (eighth != 0) {
    done += kEighths[eighth];
    ++whole;
  }
  return painted(std::move(done), kGreen, style.colour) + painted(full_cells(cells - whole, "░"), kDim, style.colour);
}

/// A block that wanders from end to end.
std::string draw_unknown(int cells, const BarStyle& style) {
  const int block = std::max(2, cells / 5);
  const int way = cells - block;
  const int step = way == 0 ? 0 : static_cast<int>(style.tick % static_cast<unsigned>(2 * way));
  const int at = step <= way ? step : 2 * way - step;
  const std::string_view empty = style.unicode ? "░" : ".";
  std::string bar = painted(full_cells(at, empty), kDim, style.colour) +
                    painted(full_cells(block, style.unicode ? "█" : "#"), kGreen, style.colour) +
                    painted(full_cells(way - at, empty), kDim, style.colour);
  return style.unicode ? bar : "[" + bar + "]";
}

/// A text of the line, from its longest to its shortest form. An empty last form means that it may go.
struct Segment {
  std::vector<std::string> forms;
  std::size_t chosen = 0;
};

std::string rows_long(const ProgressView& view) {
  if (!view.total_rows) return fmt::format("{} rows", format_count(*view.rows));
  return fmt::format("{} of {}{} rows", format_count(*view.rows), view.total_is_estimate ? "~" : "",
                     format_count(*view.total_rows));
}

Segment rows_segment(const ProgressView& view) {
  if (!view.rows) return {{""}};
  std::vector<std::string> forms{rows_long(view)};
  if (view.total_rows) forms.push_back(fmt::format("{} rows", format_count(*view.rows)));
  forms.push_back(fmt::format("{} rows", format_short_count(static_cast<double>(*view.rows))));
  forms.emplace_back();
  return {std::move(forms)};
}

Segment bytes_segment(const ProgressView& view) {
  if (!view.bytes) return {{""}};
  if (view.total_bytes) {
    return {{fmt::format("{} of {}", format_bytes(*view.bytes), format_bytes(*view.total_bytes)),
             format_bytes(*view.bytes), ""}};
  }
  return {{format_bytes(*view.bytes), ""}};
}

Segment rate_segment(const ProgressView& view) {
  if (!view.note.empty()) return {{""}};
  if (view.rows_per_second) return {{fmt::format("{} rows/s", format_short_count(*view.rows_per_second)), ""}};
  if (view.bytes_per_second) {
    return {{fmt::format("{}/s", format_bytes(static_cast<std::int64_t>(*view.bytes_per_second))), ""}};
  }
  return {{""}};
}

Segment time_segment(const ProgressView& view) {
  if (!view.note.empty()) return {{printable(view.note), cut_to_width(printable(view.note), 16), ""}};
  if (!view.seconds_left) return {{""}};
  return {{fmt::format("{} left", format_duration(*view.seconds_left)), format_duration(*view.seconds_left), ""}};
}

enum Part { kLabel, kPercent, kRows, kBytes, kRate, kTime, kPartCount };

/// Everything on the line but the bar.
struct Layout {
  std::array<Segment, kPartCount> segments;

  std::string_view text(Part part) const { return segments[part].forms[segments[part].chosen]; }
  /// Cells of all texts, each with two spaces beside it.
  int width() const {
    int total = 0;
    for (int part = 0; part < kPartCount; ++part) {
      const int cells = display_width(text(static_cast<Part>(part)));
      if (cells != 0) total += cells + 2;
    }
    return total;
  }
};

Layout lay_out(const ProgressView& view, int cells) {
  const std::string label = printable(view.label);
  Layout layout{{{{{label, cut_to_width(label, 12), ""}},
                  {{view.percent ? fmt::format("{:3}%", whole_percent(*view.percent)) : ""}},
                  rows_segment(view),
                  bytes_segment(view),
                  rate_segment(view),
                  time_segment(view)}}};
  // What gives way, one form at a time, until the rest fits: first what a reader misses least.
  constexpr std::array kSteps{kBytes, kRows, kBytes, kRate, kRows, kTime, kLabel, kRows, kLabel, kTime};
  for (const Part part : kSteps) {
    if (layout.width() <= cells) break;
    Segment& segment = layout.segments[part];
    if (segment.chosen + 1 < segment.forms.size()) ++segment.chosen;
  }
  return layout;
}

}  // namespace

std::string render_progress_bar(const ProgressView& view, const BarStyle& style) {
  const int brackets = style.unicode ? 0 : 2;
  const int usable = style.width - 1;
  const Layout layout = lay_out(view, usable - kWantedBar - brackets);
  const int bar_cells = std::clamp(usable - layout.width() - brackets, kMinBar, kMaxBar);

  std::string line;
  if (!layout.text(kLabel).empty()) line = fmt::format("{}  ", layout.text(kLabel));
  line += view.percent ? draw_known(*view.percent, bar_cells, style) : draw_unknown(bar_cells, style);
  for (const Part part : {kPercent, kRows, kBytes, kRate, kTime}) {
    if (!layout.text(part).empty()) line += fmt::format("  {}", layout.text(part));
  }
  return line;
}

std::string render_progress_line(const ProgressView& view) {
  std::vector<std::string> facts;
  if (view.percent) facts.push_back(fmt::format("{}%", whole_percent(*view.percent)));
  if (view.rows) facts.push_back(rows_long(view));
  if (view.bytes) facts.push_back(bytes_segment(view).forms.front());
  if (!view.note.empty()) facts.push_back(printable(view.note));
  if (std::string rate = rate_segment(view).forms.front(); !rate.empty()) facts.push_back(std::move(rate));
  if (view.note.empty() && view.seconds_left) {
    facts.push_back(fmt::format("{} left", format_duration(*view.seconds_left)));
  }
  return fmt::format("{}: {}", printable(view.label), fmt::join(facts, ", "));
}

}  // namespace longshore
