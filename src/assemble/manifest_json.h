#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace longshore {

/// A 32-bit checksum as manifests spell it: eight lower-case hexadecimal digits.
inline std::string checksum_text(std::uint32_t checksum) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", checksum);
  return text;
}

}  // namespace longshore
