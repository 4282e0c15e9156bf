#include "scan/value_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace longshore {

namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr std::int64_t kMicrosPerSecond = 1'000'000;

struct CivilDate {
  std::int64_t year;  // astronomical: 0 is 1 BC
  int month;
  int day;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The proleptic Gregorian calendar in 400-year eras that begin on 1 March, so that the leap day comes last.
// std::chrono's year ends at 32767, which PostgreSQL's dates exceed.
std::int64_t days_from_civil(const CivilDate& date) {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

CivilDate civil_from_days(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_index = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(month_index < 10 ? month_index + 3 : month_index - 9);
  return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = static_cast<int>(day_of_year - (153 * month_index + 2) / 5 + 1)};
}

int days_in_month(std::int64_t year, int month) {
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

std::string civil_text(const CivilDate& date) {
  // Year 0 is 1 BC: there is no year 0 in PostgreSQL's text.
  const std::int64_t shown = date.year > 0 ? date.year : 1 - date.year;
  char buffer[40];
  const int n =
      std::snprintf(buffer, sizeof buffer, "%04lld-%02d-%02d", static_cast<long long>(shown), date.month, date.day);
  return {buffer, static_cast<std::size_t>(n)};
}

/// Takes text from the front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  bool take(char c) {
    if (peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// A number of `least` to `most` digits.
  std::optional<std::int64_t> digits(int least, int most) {
    std::int64_t value = 0;
    int n = 0;
    for (; n < most && is_digit(peek()); ++n) {
      value = value * 10 + (peek() - '0');
      text_.remove_prefix(1);
    }
    if (n < least) return std::nullopt;
    return value;
  }
  /// Up to six digits after a point as microseconds; more digits are refused unless they are zeros.
  std::optional<std::int64_t> fraction() {
    std::int64_t value = 0;
    int n = 0;
    for (; is_digit(peek()); ++n) {
      if (n < 6) {
        value = value * 10 + (peek() - '0');
      } else if (peek() != '0') {
        return std::nullopt;
      }
      text_.remove_prefix(1);
    }
    if (n == 0) return std::nullopt;
    for (; n < 6; ++n) value *= 10;
    return value;
  }

 private:
  std::string_view text_;
};

std::optional<CivilDate> take_date(Cursor& cursor, bool before_christ) {
  const auto year = cursor.digits(4, 7);
  if (!year || !cursor.take('-')) return std::nullopt;
  const auto month = cursor.digits(2, 2);
  if (!month || !cursor.take('-')) return std::nullopt;
  const auto day = cursor.digits(2, 2);
  if (!day || *month < 1 || *month > 12 || (before_christ && *year == 0)) return std::nullopt;
  const CivilDate date{
      .year = before_christ ? 1 - *year : *year, .month = static_cast<int>(*month), .day = static_cast<int>(*day)};
  if (date.day < 1 || date.day > days_in_month(date.year, date.month)) return std::nullopt;
  return date;
}

std::optional<std::int64_t> take_time(Cursor& cursor) {
  const auto hour = cursor.digits(2, 2);
  if (!hour || !cursor.take(':')) return std::nullopt;
  const auto minute = cursor.digits(2, 2);
  if (!minute) return std::nullopt;
  std::int64_t second = 0;
  std::int64_t micros = 0;
  if (cursor.take(':')) {
    const auto read = cursor.digits(2, 2);
    if (!read) return std::nullopt;
    second = *read;
    if (cursor.take('.')) {
      const auto part = cursor.fraction();
      if (!part) return std::nullopt;
      micros = *part;
    }
  }
  if (*minute > 59 || second > 60) return std::nullopt;
  const std::int64_t value = ((*hour * 60 + *minute) * 60 + second) * kMicrosPerSecond + micros;
  if (value > kMicrosPerDay) return std::nullopt;
  return value;
}

/// Seconds east of UTC.
std::optional<std::int64_t> take_offset(Cursor& cursor) {
  if (cursor.take('Z') || cursor.take('z')) return 0;
  const bool west = cursor.peek() == '-';
  if (!cursor.take('-') && !cursor.take('+')) return std::nullopt;
  const auto hours = cursor.digits(2, 2);
  if (!hours || *hours > 15) return std::nullopt;
  std::int64_t seconds = *hours * 3600;
  if (!cursor.at_end() && cursor.peek() != ' ') {
    cursor.take(':');
    const auto minutes = cursor.digits(2, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    seconds += *minutes * 60;
    if (cursor.take(':')) {  // PostgreSQL shows historic offsets to the second
      const auto rest = cursor.digits(2, 2);
      if (!rest || *rest > 59) return std::nullopt;
      seconds += *rest;
    }
  }
  return west ? -seconds : seconds;
}

/// Cuts a trailing ` BC` off.
bool take_before_christ(std::string_view& text) {
  if (!text.ends_with(" BC")) return false;
  text.remove_suffix(3);
  return true;
}

std::optional<int> infinity_sign(std::string_view text) {
  if (text == "infinity" || text == "Infinity") return 1;
  if (text == "-infinity" || text == "-Infinity") return -1;
  return std::nullopt;
}

template <class T>
std::string shortest_text(T value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[64];
  const auto done = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, done.ptr};
}

template <class T>
std::optional<T> parse_float(std::string_view text) {
  T value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  // Also reads nan and inf(inity) in any case.
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

constexpr std::array<Int128, 39> kPowersOfTen = [] {
  std::array<Int128, 39> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string date_text(std::int32_t days_since_1970) {
  if (days_since_1970 == kDateInfinity) return "infinity";
  if (days_since_1970 == kDateMinusInfinity) return "-infinity";
  const CivilDate date = civil_from_days(days_since_1970);
  return civil_text(date) + (date.year <= 0 ? " BC" : "");
}

std::string timestamp_text(std::int64_t micros_since_1970, bool utc) {
  if (micros_since_1970 == kTimestampInfinity) return "infinity";
  if (micros_since_1970 == kTimestampMinusInfinity) return "-infinity";
  std::int64_t days = micros_since_1970 / kMicrosPerDay;
  std::int64_t micros = micros_since_1970 % kMicrosPerDay;
  if (micros < 0) {
    micros += kMicrosPerDay;
    --days;
  }
  const CivilDate date = civil_from_days(days);
  std::string text = civil_text(date) + "T" + time_text(micros);
  if (utc) text += 'Z';
  if (date.year <= 0) text += " BC";
  return text;
}

std::string time_text(std::int64_t micros) {
  const std::int64_t seconds = micros / kMicrosPerSecond;
  const std::int64_t fraction = micros % kMicrosPerSecond;
  char buffer[40];
  int n = std::snprintf(buffer, sizeof buffer, "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                        static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  if (fraction != 0) {
    n += std::snprintf(buffer + n, sizeof buffer - static_cast<std::size_t>(n), ".%06d", static_cast<int>(fraction));
  }
  return {buffer, static_cast<std::size_t>(n)};
}

std::string uuid_text(const std::uint8_t* bytes16) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[bytes16[i] >> 4];
    text += kHex[bytes16[i] & 15];
  }
  return text;
}

std::string int128_text(Int128 value) {
  UInt128 rest = value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (value < 0) text += '-';
  std::ranges::reverse(text);
  return text;
}

std::string decimal_text(Int128 scaled, int scale) {
  std::string text = int128_text(scaled < 0 ? -scaled : scaled);
  if (scale > 0) {
    const auto digits = static_cast<std::size_t>(scale);
    if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
    text.insert(text.size() - digits, 1, '.');
  }
  return scaled < 0 ? "-" + text : text;
}

std::string float_text(double value) {
  return shortest_text(value);
}
std::string float_text(float value) {
  return shortest_text(value);
}

std::optional<std::int32_t> parse_date(std::string_view text) {
  if (const auto sign = infinity_sign(text)) return *sign > 0 ? kDateInfinity : kDateMinusInfinity;
  const bool before_christ = take_before_christ(text);
  Cursor cursor(text);
  const auto date = take_date(cursor, before_christ);
  if (!date || !cursor.at_end()) return std::nullopt;
  const std::int64_t days = days_from_civil(*date);
  if (days <= kDateMinusInfinity || days >= kDateInfinity) return std::nullopt;
  return static_cast<std::int32_t>(days);
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  if (const auto sign = infinity_sign(text)) return *sign > 0 ? kTimestampInfinity : kTimestampMinusInfinity;
  const bool before_christ = take_before_christ(text);
  Cursor cursor(text);
  const auto date = take_date(cursor, before_christ);
  if (!date) return std::nullopt;
  std::int64_t time = 0;
  if (!cursor.at_end()) {
    if (!cursor.take('T') && !cursor.take(' ') && !cursor.take('t')) return std::nullopt;
    const auto read = take_time(cursor);
    if (!read) return std::nullopt;
    time = *read;
    if (!cursor.at_end()) {
      cursor.take(' ');  // `12:00:00 +02:00`
      const auto offset = take_offset(cursor);
      if (!offset || !cursor.at_end()) return std::nullopt;
      time -= *offset * kMicrosPerSecond;
    }
  }
  std::int64_t micros = 0;
  if (__builtin_mul_overflow(days_from_civil(*date), kMicrosPerDay, &micros) ||
      __builtin_add_overflow(micros, time, &micros)) {
    return std::nullopt;
  }
  if (micros == kTimestampInfinity || micros == kTimestampMinusInfinity) return std::nullopt;
  return micros;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  Cursor cursor(text);
  const auto time = take_time(cursor);
  if (!time || !cursor.at_end()) return std::nullopt;
  return time;
}

std::optional<std::array<std::uint8_t, 16>> parse_uuid(std::string_view text) {
  const bool hyphens = text.size() == 36;
  if (!hyphens && text.size() != 32) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  return bytes;
}

std::optional<Int128> parse_decimal(std::string_view text, int precision, int scale) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string_view mantissa = text;
  std::int64_t exponent = 0;
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    mantissa = text.substr(0, e);
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto read = parse_int64(digits);
    if (!read || *read < -10'000 || *read > 10'000) return std::nullopt;
    exponent = *read;
  }
  // The value is the digits of the mantissa times 10^power, scaled.
  std::int64_t power = exponent + scale;
  Int128 value = 0;
  int significant = 0;
  bool point = false;
  bool any = false;
  std::int64_t zeros = 0;  // held back: trailing zeros must not overflow
  for (const char c : mantissa) {
    if (c == '.') {
      if (point) return std::nullopt;
      point = true;
      continue;
    }
    if (!is_digit(c)) return std::nullopt;
    any = true;
    if (point) --power;
    if (c == '0') {
      if (significant > 0) ++zeros;
      continue;
    }
    significant += static_cast<int>(zeros) + 1;
    if (significant > 38) return std::nullopt;
    value = value * power_of_ten(static_cast<int>(zeros) + 1) + (c - '0');
    zeros = 0;
  }
  if (!any) return std::nullopt;
  if (value == 0) return 0;
  power += zeros;
  if (power < 0 || significant + power > precision) return std::nullopt;  // would round, or is too large
  value *= power_of_ten(static_cast<int>(power));
  return negative ? -value : value;
}

std::optional<std::int64_t> parse_int64(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_float64(std::string_view text) {
  return parse_float<double>(text);
}
std::optional<float> parse_float32(std::string_view text) {
  return parse_float<float>(text);
}

Int128 power_of_ten(int exponent) {
  return kPowersOfTen[static_cast<std::size_t>(exponent)];
}

}  // namespace longshore
