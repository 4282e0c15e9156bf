#include "catalog/literal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/clock.h"
#include "base/random.h"

namespace longshore {
namespace {

/// More digits than any column holds; bounds what `1e999999999` would become.
constexpr int kMaxDecimalDigits = 1000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// `text` as a message shows it: in full only when it is short.
std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 60;
  if (text.size() <= kShown) return "\"" + std::string(text) + "\"";
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // never cut a character in two
  return "\"" + std::string(text.substr(0, end)) + "…\"";
}

tl::unexpected<Error> bad_value(std::string_view text, const std::string& expected) {
  return fail(user_error("bad_value", shown(text) + " is not " + expected));
}

Result<std::string> integer_text(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || value < least || value > most) {
    return bad_value(text, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return std::to_string(value);
}

template <class Int>
Result<std::string> integer_text(std::string_view text) {
  return integer_text(text, std::numeric_limits<Int>::min(), std::numeric_limits<Int>::max());
}

/// A decimal number taken apart: value = (-1)^negative × 0.digits × 10^point, with no zeros at either end of digits.
struct Decimal {
  bool negative = false;
  std::string digits;
  int point = 0;
};

/// `-?digits[.digits][(e|E)[+-]digits]`.
std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal decimal;
  std::size_t i = 0;
  const auto take_digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && is_digit(text[i])) decimal.digits += text[i++];
    return i - begin;
  };
  if (text.starts_with('-')) decimal.negative = ++i != 0;
  const std::size_t before_point = take_digits();
  if (before_point == 0) return std::nullopt;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (take_digits() == 0) return std::nullopt;
  }
  int exponent = 0;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && text[i] == '+') ++i;
    if (i < text.size() && text[i - 1] == '+' && !is_digit(text[i])) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), exponent);
    if (error != std::errc{} || std::abs(exponent) > kMaxDecimalDigits) return std::nullopt;
    i = static_cast<std::size_t>(end - text.data());
  }
  if (i != text.size() || decimal.digits.size() > kMaxDecimalDigits) return std::nullopt;

  decimal.point = static_cast<int>(before_point) + exponent;
  const std::size_t leading = std::min(decimal.digits.find_first_not_of('0'), decimal.digits.size());
  decimal.digits.erase(0, leading);
  decimal.point -= static_cast<int>(leading);
  decimal.digits.erase(decimal.digits.find_last_not_of('0') + 1);
  if (decimal.digits.empty()) return Decimal{};
  return decimal;
}

/// Plain digits without an exponent; no zeros that say nothing.
std::string format_decimal(const Decimal& decimal) {
  if (decimal.digits.empty()) return "0";
  std::string text = decimal.negative ? "-" : "";
  const int length = static_cast<int>(decimal.digits.size());
  if (decimal.point <= 0) {
    text += "0." + std::string(static_cast<std::size_t>(-decimal.point), '0') + decimal.digits;
  } else if (decimal.point >= length) {
    text += decimal.digits + std::string(static_cast<std::size_t>(decimal.point - length), '0');
  } else {
    const auto point = static_cast<std::size_t>(decimal.point);
    text += decimal.digits.substr(0, point) + "." + decimal.digits.substr(point);
  }
  return text;
}

std::strong_ordering compare_decimals(const Decimal& a, const Decimal& b) {
  const auto sign = [](const Decimal& d) { return d.digits.empty() ? 0 : d.negative ? -1 : 1; };
  if (sign(a) != sign(b)) return sign(a) <=> sign(b);
  // Digits begin with the first that counts, so the longer integer part is the greater number.
  // Of two negative numbers, the one of the smaller magnitude is the greater.
  const Decimal& left = a.negative ? b : a;
  const Decimal& right = a.negative ? a : b;
  return left.point != right.point ? left.point <=> right.point : left.digits <=> right.digits;
}

Result<std::string> decimal_text(std::string_view text) {
  const auto decimal = parse_decimal(text);
  if (!decimal) return bad_value(text, "a decimal number of at most " + std::to_string(kMaxDecimalDigits) + " digits");
  return format_decimal(*decimal);
}

/// The shortest text that reads back as the same number.
template <class Float>
Result<std::string> float_text(std::string_view text) {
  Float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return bad_value(text, "a number that fits the column");
  }
  if (value == 0) return std::string("0");
  std::array<char, 64> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return std::string(digits.data(), written.ptr);
}

/// Whether digits below a microsecond would be lost.
bool too_fine(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return false;
  std::size_t digits = 0;
  bool lost = false;
  for (std::size_t i = dot + 1; i < text.size() && is_digit(text[i]); ++i) lost |= ++digits > 6 && text[i] != '0';
  return lost;
}

constexpr const char* kTimeExample = "an RFC 3339 time to the microsecond, e.g. \"2026-06-06T14:20:00Z\"";

Result<std::string> timestamp_text(std::string_view text, bool zone_needed) {
  Result<Timestamp> time = parse_rfc3339(text);
  // A column without a zone is compared with what its clock showed; UTC is what we call that.
  if (!time && !zone_needed) time = parse_rfc3339(std::string(text) + "Z");
  if (!time || too_fine(text)) return bad_value(text, kTimeExample);
  return to_rfc3339(*time);
}

Result<std::string> date_text(std::string_view text) {
  const Result<Timestamp> time = parse_rfc3339(text);
  // A time is fine when it is midnight UTC: the same `from` then works for datasets by date and by time.
  if (!time || too_fine(text) || *time != std::chrono::floor<std::chrono::days>(*time)) {
    return bad_value(text, "a date, e.g. \"2026-06-06\"");
  }
  return to_rfc3339(*time).substr(0, 10);
}

Result<std::string> time_text(std::string_view text) {
  const std::string day = "2000-01-01T";
  const Result<Timestamp> time = parse_rfc3339(day + std::string(text) + "Z");
  const std::string canonical = time ? to_rfc3339(*time) : std::string{};
  if (!canonical.starts_with(day) || too_fine(text)) {
    return bad_value(text, "a time of day to the microsecond, e.g. \"14:20:00\"");
  }
  return canonical.substr(day.size(), canonical.size() - day.size() - 1);
}

Result<std::string> uuid_text(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!is_uuid(lower)) return bad_value(text, "a UUID, e.g. \"0192f0c4-7a5b-7c3d-8e9f-0123456789ab\"");
  return lower;
}

Result<std::string> plain_text(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return fail(user_error("bad_value", "a text cannot hold a NUL character"));
  }
  return std::string(text);
}

Result<std::string> canonical_text(std::string_view text, LogicalType type) {
  switch (type) {
    case LogicalType::boolean:
      if (text == "true" || text == "false") return std::string(text);
      return bad_value(text, "true or false");
    case LogicalType::int16:
      return integer_text<std::int16_t>(text);
    case LogicalType::int32:
      return integer_text<std::int32_t>(text);
    case LogicalType::int64:
      return integer_text<std::int64_t>(text);
    case LogicalType::float32:
      return float_text<float>(text);
    case LogicalType::float64:
      return float_text<double>(text);
    case LogicalType::decimal:
      return decimal_text(text);
    case LogicalType::text:
      return plain_text(text);
    case LogicalType::uuid:
      return uuid_text(text);
    case LogicalType::date:
      return date_text(text);
    case LogicalType::time:
      return time_text(text);
    case LogicalType::timestamp:
      return timestamp_text(text, false);
    case LogicalType::timestamptz:
      return timestamp_text(text, true);
    case LogicalType::interval:
    case LogicalType::json:
    case LogicalType::bytea:
    case LogicalType::array:
      break;
  }
  return fail(internal_error("bad_literal", "a literal of a type that cannot be filtered on"));
}

/// What JSON may say a value of the type with.
struct JsonForm {
  bool number = false;
  bool string = false;
  bool boolean = false;
  const char* expected = "";
};

JsonForm json_form(LogicalType type) {
  switch (type) {
    case LogicalType::boolean:
      return {.boolean = true, .expected = "true or false"};
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
      return {.number = true, .string = true, .expected = "an integer"};
    case LogicalType::decimal:
    case LogicalType::float32:
    case LogicalType::float64:
      return {.number = true, .string = true, .expected = "a number"};
    default:
      return {.string = true, .expected = "a string"};
  }
}

const char* kind_name(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::null:
      return "null";
    case JsonValue::Kind::boolean:
      return "a boolean";
    case JsonValue::Kind::number:
      return "a number";
    case JsonValue::Kind::string:
      return "a string";
    case JsonValue::Kind::array:
      return "an array";
    case JsonValue::Kind::object:
      return "an object";
  }
  return "";
}

}  // namespace

Result<Value> read_literal(std::string_view text, const DataType& type) {
  TRY(std::string canonical, canonical_text(text, type.logical));
  DataType value_type = type;
  if (type.logical == LogicalType::decimal) value_type = DataType{.logical = LogicalType::decimal};
  return Value{value_type, std::move(canonical)};
}

Result<Value> read_literal(const JsonValue& json, const DataType& type) {
  const JsonForm form = json_form(type.logical);
  if (json.is_boolean() && form.boolean) return read_literal(json.boolean ? "true" : "false", type);
  if ((json.is_number() && form.number) || (json.is_string() && form.string)) return read_literal(json.text, type);
  return fail(user_error("wrong_type", std::string("must be ") + form.expected + " (" + to_string(type) + "), not " +
                                           kind_name(json.kind)));
}

std::partial_ordering compare_literals(const Value& a, const Value& b) {
  switch (a.type.logical) {
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
    case LogicalType::decimal:
    case LogicalType::float32:
    case LogicalType::float64: {
      const auto left = parse_decimal(a.text);
      const auto right = parse_decimal(b.text);
      if (!left || !right) return std::partial_ordering::unordered;
      return compare_decimals(*left, *right);
    }
    case LogicalType::timestamp:
    case LogicalType::timestamptz: {
      const auto left = parse_rfc3339(a.text);
      const auto right = parse_rfc3339(b.text);
      if (!left || !right) return std::partial_ordering::unordered;
      return *left <=> *right;
    }
    case LogicalType::date:
    case LogicalType::time:
      return a.text <=> b.text;
    default:
      return std::partial_ordering::unordered;  // text: its order is the database's collation
  }
}

}  // namespace longshore
