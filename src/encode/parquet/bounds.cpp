#include "parquet/bounds.h"

#include <utility>

namespace longshore::parquet {
namespace {

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// The character that begins at `text[0]` of valid UTF-8.
char32_t decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  switch (text.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  }
}

void append_character(char32_t character, std::string& out) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xC0 | character >> 6);
    put(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    put(0xE0 | character >> 12);
    put(0x80 | (character >> 6 & 0x3F));
    put(0x80 | (character & 0x3F));
  } else {
    put(0xF0 | character >> 18);
    put(0x80 | (character >> 12 & 0x3F));
    put(0x80 | (character >> 6 & 0x3F));
    put(0x80 | (character & 0x3F));
  }
}

/// The next character that UTF-8 can hold; nullopt after the last.
std::optional<char32_t> next_character(char32_t character) {
  if (character == 0x10FFFF) return std::nullopt;
  return character == 0xD7FF ? char32_t{0xE000} : character + 1;
}

std::optional<std::string> raise_last_character(std::string_view prefix, std::size_t limit) {
  while (!prefix.empty()) {
    std::size_t begin = prefix.size() - 1;
    while (begin > 0 && is_continuation(prefix[begin])) --begin;
    const auto next = next_character(decode(prefix.substr(begin)));
    prefix = prefix.substr(0, begin);
    if (!next) continue;
    std::string raised(prefix);
    append_character(*next, raised);
    // U+007F becomes two bytes, U+07FF three: there may be no room.
    if (raised.size() <= limit) return raised;
  }
  return std::nullopt;
}

std::optional<std::string> raise_last_byte(std::string_view prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.remove_suffix(1);
  if (prefix.empty()) return std::nullopt;
  std::string raised(prefix);
  raised.back() = static_cast<char>(static_cast<unsigned char>(raised.back()) + 1);
  return raised;
}

}  // namespace

std::string_view cut_below(std::string_view value, std::size_t limit, bool utf8) {
  if (value.size() <= limit) return value;
  std::size_t end = limit;
  while (utf8 && end > 0 && is_continuation(value[end])) --end;
  return value.substr(0, end);
}

std::optional<std::string> cut_above(std::string_view value, std::size_t limit, bool utf8) {
  if (value.size() <= limit) return std::string(value);
  const std::string_view prefix = cut_below(value, limit, utf8);
  return utf8 ? raise_last_character(prefix, limit) : raise_last_byte(prefix);
}

Bounds ByteBounds::bounds(std::size_t limit, bool utf8) const {
  Bounds bounds;
  if (!any_) return bounds;
  auto above = cut_above(max_, limit, utf8);
  if (!above) return bounds;
  bounds.present = true;
  bounds.min = cut_below(min_, limit, utf8);
  bounds.max = *std::move(above);
  bounds.min_exact = min_.size() <= limit;
  bounds.max_exact = max_.size() <= limit;
  return bounds;
}

}  // namespace longshore::parquet
