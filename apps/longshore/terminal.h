#pragma once

#include <cstddef>
#include <string_view>

namespace longshore {

/// What a file descriptor's terminal can do, from the descriptor and the environment.
struct Terminal {
  bool is_terminal = false;  ///< and not a dumb one: lines can be drawn over
  bool unicode = false;      ///< the locale says UTF-8 (LC_ALL, LC_CTYPE, LANG)
  bool colour = false;       ///< false when NO_COLOR is set and not empty (no-color.org)
};

Terminal inspect_terminal(int fd);

/// Columns of the terminal now, or 0 when `fd` is none. Asked anew for every drawing, so resizing needs no signal.
int terminal_width(int fd);

/// Writes all of `text`, going on after interrupts. False when the descriptor does not take it, e.g. a closed pipe.
bool write_all(int fd, std::string_view text);

}  // namespace longshore
