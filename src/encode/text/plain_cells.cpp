#include "encode/text/plain_cells.h"

#include <fmt/compile.h>

#include <cmath>

namespace longshore {

// fmt and not std::to_chars: the latter prefers the shorter spelling and makes 1e+05 of 100000.
char* write_float(char* out, double value) {
  return fmt::format_to(out, FMT_COMPILE("{}"), value);
}
char* write_float(char* out, float value) {
  return fmt::format_to(out, FMT_COMPILE("{}"), value);
}

char* write_not_a_number(char* out, double value) {
  return write_word(out, std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

}  // namespace longshore
