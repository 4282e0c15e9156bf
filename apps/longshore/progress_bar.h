#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace longshore {

/// What there is to show of something that runs, at one moment.
struct ProgressView {
  std::string label;  ///< what runs, e.g. the dataset's name
  std::string note;   ///< shown in place of rate and time left when not empty, e.g. `paused: replica lag 8 s`
  std::optional<double> percent;  ///< 0 to 100; nullopt: the total is unknown
  std::optional<std::int64_t> rows;
  std::optional<std::int64_t> total_rows;
  bool total_is_estimate = false;
  std::optional<std::int64_t> bytes;
  std::optional<std::int64_t> total_bytes;
  std::optional<double> rows_per_second;
  std::optional<double> bytes_per_second;
  std::optional<double> seconds_left;
};

/// How it may be drawn.
struct BarStyle {
  int width = 80;       ///< cells of the terminal; the line never takes the last one, so that it cannot wrap
  bool unicode = true;  ///< eighth blocks; else `#` and `.`
  bool colour = false;  ///< ANSI colours
  unsigned tick = 0;    ///< grows with every drawing; moves the bar of unknown length
};

/// One line without a newline. What does not fit is shortened, then left out, the least useful first: bytes, rate,
/// rows, the label, the time left or note; the percentage and a bar of at least 8 cells stay.
std::string render_progress_bar(const ProgressView& view, const BarStyle& style);

/// The same for a log: a sentence of everything that is known.
std::string render_progress_line(const ProgressView& view);

}  // namespace longshore
