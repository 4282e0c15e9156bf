#include "parquet/element_text.h"

#include <algorithm>
#include <cstddef>

namespace longshore::parquet {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// Reads from the front of a text; after the first failure everything fails.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty() && !failed_; }
  bool failed() const { return failed_; }
  bool accept(char wanted) {
    if (failed_ || text_.empty() || text_[0] != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool accept(std::string_view wanted) {
    if (failed_ || !text_.starts_with(wanted)) return false;
    text_.remove_prefix(wanted.size());
    return true;
  }
  void expect(char wanted) { failed_ = !accept(wanted); }
  /// `least` to `most` digits.
  std::int64_t digits(std::size_t least, std::size_t most) {
    std::int64_t value = 0;
    std::size_t n = 0;
    for (; n < most && n < text_.size() && text_[n] >= '0' && text_[n] <= '9'; ++n)
      value = value * 10 + (text_[n] - '0');
    if (n < least) failed_ = true;
    if (!failed_) text_.remove_prefix(n);
    return failed_ ? 0 : value;
  }
  /// Digits after a point, as millionths.
  std::int64_t fraction() {
    const std::size_t before = text_.size();
    std::int64_t value = digits(1, 6);
    for (std::size_t n = before - text_.size(); n < 6; ++n) value *= 10;
    return value;
  }

 private:
  std::string_view text_;
  bool failed_ = false;
};

bool is_leap(std::int64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/// Days from 1970-01-01. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

struct Date {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;

  std::optional<std::int64_t> days(bool before_christ) const {
    constexpr std::array<std::int64_t, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const std::int64_t astronomical = before_christ ? 1 - year : year;
    if (year < 1 || month < 1 || month > 12 || day < 1) return std::nullopt;
    const std::int64_t last =
        kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap(astronomical) ? 1 : 0);
    if (day > last) return std::nullopt;
    return days_of(astronomical, month, day);
  }
};

Date read_date_part(TextReader& reader) {
  Date date;
  date.year = reader.digits(4, 7);
  reader.expect('-');
  date.month = reader.digits(2, 2);
  reader.expect('-');
  date.day = reader.digits(2, 2);
  return date;
}

std::int64_t read_time_part(TextReader& reader) {
  const std::int64_t hours = reader.digits(2, 2);
  reader.expect(':');
  const std::int64_t minutes = reader.digits(2, 2);
  reader.expect(':');
  const std::int64_t seconds = reader.digits(2, 2);
  const std::int64_t fraction = reader.accept('.') ? reader.fraction() : 0;
  if (hours > 24 || minutes > 59 || seconds > 60) reader.expect('\0');
  return ((hours * 60 + minutes) * 60 + seconds) * kMicrosPerSecond + fraction;
}

/// Microseconds that the text is ahead of UTC.
std::int64_t read_offset(TextReader& reader) {
  if (reader.accept('Z')) return 0;
  const bool ahead = reader.accept('+');
  if (!ahead && !reader.accept('-')) return 0;
  std::int64_t seconds = reader.digits(2, 2) * 3600;
  reader.accept(':');
  if (!reader.done()) seconds += reader.digits(0, 2) * 60;
  if (reader.accept(':')) seconds += reader.digits(2, 2);
  return (ahead ? seconds : -seconds) * kMicrosPerSecond;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

constexpr char32_t kReplacement = 0xFFFD;

void append_utf8(char32_t character, std::string& out) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (character < 0x80) {
    put(character);
    return;
  }
  if (character < 0x800) {
    put(0xC0 | character >> 6);
  } else {
    if (character < 0x10000) {
      put(0xE0 | character >> 12);
    } else {
      put(0xF0 | character >> 18);
      put(0x80 | (character >> 12 & 0x3F));
    }
    put(0x80 | (character >> 6 & 0x3F));
  }
  put(0x80 | (character & 0x3F));
}

/// The four digits of \uXXXX at the front of `text`.
std::optional<char32_t> take_code_unit(std::string_view& text) {
  char32_t unit = 0;
  if (text.size() < 4) return std::nullopt;
  for (const char digit : text.substr(0, 4)) {
    if (hex_value(digit) < 0) return std::nullopt;
    unit = unit * 16 + static_cast<char32_t>(hex_value(digit));
  }
  text.remove_prefix(4);
  return unit;
}

/// What follows `\u`: one code unit, or the two of a surrogate pair.
char32_t take_unicode_escape(std::string_view& text) {
  const auto high = take_code_unit(text);
  if (!high) return kReplacement;
  if (*high < 0xD800 || *high > 0xDFFF) return *high;
  if (*high > 0xDBFF || !text.starts_with("\\u")) return kReplacement;
  std::string_view rest = text.substr(2);
  const auto low = take_code_unit(rest);
  if (!low || *low < 0xDC00 || *low > 0xDFFF) return kReplacement;
  text = rest;
  return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
}

}  // namespace

std::optional<std::int32_t> read_date(std::string_view text) {
  TextReader reader(text);
  const Date date = read_date_part(reader);
  const bool before_christ = reader.accept(" BC");
  const auto days = date.days(before_christ);
  if (!reader.done() || !days || *days < INT32_MIN || *days > INT32_MAX) return std::nullopt;
  return static_cast<std::int32_t>(*days);
}

std::optional<std::int64_t> read_time(std::string_view text) {
  TextReader reader(text);
  const std::int64_t micros = read_time_part(reader);
  if (!reader.done()) return std::nullopt;
  return micros;
}

std::optional<std::int64_t> read_timestamp(std::string_view text) {
  TextReader reader(text);
  const Date date = read_date_part(reader);
  if (!reader.accept('T')) reader.expect(' ');
  const std::int64_t micros = read_time_part(reader) - read_offset(reader);
  const bool before_christ = reader.accept(" BC");
  const auto days = date.days(before_christ);
  std::int64_t result = 0;
  if (!reader.done() || !days || __builtin_mul_overflow(*days, kMicrosPerDay, &result) ||
      __builtin_add_overflow(result, micros, &result)) {
    return std::nullopt;
  }
  return result;
}

std::optional<std::array<char, 16>> read_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::array<char, 16> bytes{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return std::nullopt;
      continue;
    }
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[at++] = static_cast<char>(high * 16 + low);
    i += 2;
  }
  return bytes;
}

std::optional<std::string> read_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::string bytes;
  unsigned bits = 0;
  int pending = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned>(value);
    pending += 6;
    if (pending < 8) continue;
    pending -= 8;
    bytes += static_cast<char>(bits >> pending);
  }
  return bytes;
}

std::string unescape_json(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const std::size_t run = std::min(text.find('\\'), text.size());
    plain += text.substr(0, run);
    text.remove_prefix(run);
    if (text.empty()) break;
    const char kind = text.size() > 1 ? text[1] : '\0';
    text.remove_prefix(std::min<std::size_t>(2, text.size()));
    switch (kind) {
      case '"':
      case '\\':
      case '/':
        plain += kind;
        break;
      case 'b':
        plain += '\b';
        break;
      case 'f':
        plain += '\f';
        break;
      case 'n':
        plain += '\n';
        break;
      case 'r':
        plain += '\r';
        break;
      case 't':
        plain += '\t';
        break;
      case 'u':
        append_utf8(take_unicode_escape(text), plain);
        break;
      default:
        append_utf8(kReplacement, plain);
    }
  }
  return plain;
}

}  // namespace longshore::parquet
