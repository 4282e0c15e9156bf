#include "storage/object_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace longshore {
namespace {

bool is_key_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '/' || c == '=' || c == '-';
}

// Keys reach logs and answers in these errors, so bytes that could forge a line are written as \xNN and long keys are
// cut.
std::string printable(std::string_view key) {
  constexpr std::size_t kShown = 80;
  std::string out;
  for (char c : key.substr(0, kShown)) {
    if (c >= ' ' && c <= '~') {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (key.size() > kShown) out += "...";
  return out;
}

Status bad_key(std::string_view key, std::string_view why) {
  return fail(user_error("bad_object_key", fmt::format("object key \"{}\" {}", printable(key), why)));
}

Status check_bytes(std::string_view key) {
  if (key.size() > kMaxObjectKeyBytes) {
    return bad_key(key, fmt::format("has {} bytes; at most {} are allowed", key.size(), kMaxObjectKeyBytes));
  }
  if (!std::all_of(key.begin(), key.end(), is_key_byte)) {
    return bad_key(key, "holds a character other than A-Z a-z 0-9 . _ / = -");
  }
  return {};
}

Status check_segment(std::string_view key, std::string_view segment) {
  if (segment.empty()) return bad_key(key, "has an empty segment (a slash at an end, or two in a row)");
  if (segment == "." || segment == "..") return bad_key(key, "has a segment \".\" or \"..\"");
  if (segment.size() > kMaxKeySegmentBytes) {
    return bad_key(
        key, fmt::format("has a segment of {} bytes; at most {} are allowed", segment.size(), kMaxKeySegmentBytes));
  }
  return {};
}

}  // namespace

Status check_object_key(std::string_view key) {
  CHECK_OK(check_bytes(key));
  std::string_view rest = key;
  for (;;) {
    const auto slash = rest.find('/');
    CHECK_OK(check_segment(key, rest.substr(0, slash)));
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

Status check_key_prefix(std::string_view prefix) {
  CHECK_OK(check_bytes(prefix));
  // Only whole segments can be judged; the last one may go on in any way.
  std::string_view rest = prefix;
  for (auto slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    CHECK_OK(check_segment(prefix, rest.substr(0, slash)));
    rest.remove_prefix(slash + 1);
  }
  return {};
}

}  // namespace longshore
