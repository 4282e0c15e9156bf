#pragma once

#include <string_view>

namespace longshore {

/// DejaVu Sans and DejaVu Sans Bold as they stood on the machine that built this (Debian's fonts-dejavu-core), compiled
/// in: every worker of one build makes the same file, and a deployed binary needs no font package.
std::string_view dejavu_sans();
std::string_view dejavu_sans_bold();

}  // namespace longshore
