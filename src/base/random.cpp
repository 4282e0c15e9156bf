#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include "base/digest.h"

namespace longshore {

namespace {

constexpr bool is_dash_position(std::size_t index) {
  return index == 8 || index == 13 || index == 18 || index == 23;
}

}  // namespace

std::string random_bytes(std::size_t n) {
  std::string bytes(n, '\0');
  std::size_t filled = 0;
  while (filled < n) {
    const ssize_t got = getrandom(bytes.data() + filled, n - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string uuid_v7(Timestamp now) {
  std::string bytes = random_bytes(16);
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now.time_since_epoch().count()));
  const std::uint64_t millis = micros / 1000;
  // RFC 9562 section 6.2 method 3: the 12 bits after the version hold the fraction of the millisecond.
  const std::uint64_t fraction = micros % 1000 * 4096 / 1000;
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<char>(millis >> (40 - 8 * i));
  bytes[6] = static_cast<char>(0x70 | (fraction >> 8));
  bytes[7] = static_cast<char>(fraction & 0xFF);
  bytes[8] = static_cast<char>(0x80 | (static_cast<unsigned char>(bytes[8]) & 0x3F));

  const std::string hex = to_hex(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (is_dash_position(i) ? c != '-' : !hex) return false;
  }
  return true;
}

}  // namespace longshore
