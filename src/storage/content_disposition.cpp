#include "storage/content_disposition.h"

#include <fmt/format.h>

#include <boost/url/encode.hpp>
#include <boost/url/grammar/alnum_chars.hpp>
#include <boost/url/grammar/lut_chars.hpp>

namespace longshore {
namespace {

// attr-char of RFC 8187 section 3.2.1: what needs no percent-encoding in filename*.
constexpr auto kAttributeChars = boost::urls::grammar::alnum_chars + boost::urls::grammar::lut_chars("!#$&+-.^_`|~");

// How many bytes the UTF-8 sequence at the front of `text` has; 0 if there is none (RFC 3629 section 4).
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto is_tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return is_tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool second_fits = !(first == 0xE0 && at(1) < 0xA0) && !(first == 0xED && at(1) > 0x9F);
    return second_fits && is_tail(1) && is_tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool second_fits = !(first == 0xF0 && at(1) < 0x90) && !(first == 0xF4 && at(1) > 0x8F);
    return second_fits && is_tail(1) && is_tail(2) && is_tail(3) ? 4 : 0;
  }
  return 0;
}

struct Names {
  std::string full;   ///< UTF-8 without control characters and path separators
  std::string plain;  ///< ASCII that needs no escape in a quoted string
};

Names clean(std::string_view name) {
  Names names;
  while (!name.empty()) {
    const std::size_t length = sequence_length(name);
    const std::string_view character = name.substr(0, length == 0 ? 1 : length);
    name.remove_prefix(character.size());
    if (length == 0) {
      names.full += "\xEF\xBF\xBD";
      names.plain += '_';
    } else if (length > 1) {
      // C1 controls are U+0080 to U+009F.
      const bool control = character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0;
      names.full += control ? "_" : character;
      names.plain += '_';
    } else {
      const char c = character[0];
      const bool unsafe = c < ' ' || c == 0x7F || c == '/' || c == '\\';
      names.full += unsafe ? '_' : c;
      // A quote would end the string; some clients decode %41 in it.
      names.plain += unsafe || c == '"' || c == '%' ? '_' : c;
    }
  }
  if (names.full.empty()) return {"download", "download"};
  return names;
}

}  // namespace

std::string content_disposition(std::string_view file_name) {
  const Names names = clean(file_name);
  return fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", names.plain,
                     boost::urls::encode(names.full, kAttributeChars));
}

}  // namespace longshore
