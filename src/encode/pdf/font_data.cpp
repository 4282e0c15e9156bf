#include "pdf/font_data.h"

#include <cstddef>

// Whole files as read-only data, without a generated source of megabytes. The paths come from CMake.
#define LONGSHORE_INCLUDE_BYTES(symbol, path)                                        \
  asm(".pushsection .rodata\n.balign 16\n" symbol ":\n.incbin \"" path "\"\n" symbol \
      "_end:\n"                                                                      \
      ".byte 0\n.popsection\n");                                                     \
  static_assert(true, "takes the semicolon")

LONGSHORE_INCLUDE_BYTES("longshore_dejavu_sans", LONGSHORE_DEJAVU_SANS);
LONGSHORE_INCLUDE_BYTES("longshore_dejavu_sans_bold", LONGSHORE_DEJAVU_SANS_BOLD);

namespace longshore {

extern "C" {
extern const char longshore_dejavu_sans[];
extern const char longshore_dejavu_sans_end[];
extern const char longshore_dejavu_sans_bold[];
extern const char longshore_dejavu_sans_bold_end[];
}

std::string_view dejavu_sans() {
  return {longshore_dejavu_sans, static_cast<std::size_t>(longshore_dejavu_sans_end - longshore_dejavu_sans)};
}

std::string_view dejavu_sans_bold() {
  return {longshore_dejavu_sans_bold,
          static_cast<std::size_t>(longshore_dejavu_sans_bold_end - longshore_dejavu_sans_bold)};
}

}  // namespace longshore
