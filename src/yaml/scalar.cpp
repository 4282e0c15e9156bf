#include "yaml/scalar.h"

#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace longshore {
namespace {

Error bad_value(std::string_view text, const std::string& expected) {
  // A value may be of any length; a message shows enough of it to be recognised.
  constexpr std::size_t kShown = 60;
  std::string shown(text.substr(0, kShown));
  if (text.size() > kShown) shown += "…";
  return user_error("bad_value", "\"" + shown + "\" is not " + expected);
}

template <std::size_t n>
std::string format_in_units(std::int64_t amount, const std::array<std::pair<std::int64_t, const char*>, n>& units) {
  for (const auto& [unit, name] : units) {
    if (amount != 0 && amount % unit == 0) return std::to_string(amount / unit) + name;
  }
  return std::to_string(amount) + units.back().second;
}

}  // namespace

Result<std::int64_t> read_integer(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return fail(bad_value(text, "an integer from " + std::to_string(least) + " to " + std::to_string(most)));
  }
  return value;
}

Result<bool> read_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return fail(bad_value(text, "true or false"));
}

Result<Duration> read_duration(std::string_view text, Duration least, Duration most) {
  const Result<Duration> value = parse_duration(text);
  if (!value || *value < least || *value > most) {
    return fail(bad_value(text, "a duration from " + format_duration(least) + " to " + format_duration(most) +
                                    " (a number with ms, s, m, h or d)"));
  }
  return *value;
}

Result<std::int64_t> read_byte_size(std::string_view text, std::int64_t least, std::int64_t most) {
  const Result<std::int64_t> value = parse_byte_size(text);
  if (!value || *value < least || *value > most) {
    return fail(bad_value(text, "a size from " + format_byte_size(least) + " to " + format_byte_size(most) +
                                    " (bytes, or a number with KiB, MiB or GiB)"));
  }
  return *value;
}

std::string format_duration(Duration duration) {
  static constexpr std::array<std::pair<std::int64_t, const char*>, 5> kUnits = {
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}, {1, "ms"}}};
  return format_in_units(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(), kUnits);
}

std::string format_byte_size(std::int64_t bytes) {
  static constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits = {
      {{1LL << 30, "GiB"}, {1LL << 20, "MiB"}, {1LL << 10, "KiB"}, {1, ""}}};
  return format_in_units(bytes, kUnits);
}

}  // namespace longshore
