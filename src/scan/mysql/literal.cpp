#include "scan/mysql/literal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <optional>

#include "base/digest.h"
#include "base/utf8.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
/// MySQL's calendar, in days since 1970.
constexpr std::int32_t kFirstDay = -719'528;  // 0000-01-01
constexpr std::int32_t kLastDay = 2'932'896;  // 9999-12-31

bool is_number(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  return !digits.empty() && digits.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::ranges::count(digits, '.') <= 1 && digits.find_first_of("0123456789") != std::string_view::npos;
}

/// `-838:59:59.000001`
bool is_time(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.size() < 7 || text.size() > 16) return false;
  return text.find_first_not_of("0123456789:.") == std::string_view::npos && std::ranges::count(text, ':') == 2;
}

std::string text_literal(std::string_view text) {
  // The introducer only says how the bytes are to be read: the literal is as any other.
  if (text.find('\0') != std::string_view::npos || text.find('\\') != std::string_view::npos) {
    return "_utf8mb4 " + binary_literal(text);
  }
  return quote_text(text);
}

std::optional<std::string> date_literal(std::string_view text) {
  const auto days = parse_date(text);
  if (!days || *days < kFirstDay || *days > kLastDay) return std::nullopt;
  return "DATE'" + date_text(*days) + "'";
}

std::optional<std::string> timestamp_literal(std::string_view text) {
  const auto micros = parse_timestamp(text);
  if (!micros || *micros < kFirstDay * kMicrosPerDay || *micros >= (kLastDay + std::int64_t{1}) * kMicrosPerDay) {
    return std::nullopt;
  }
  std::string written = timestamp_text(*micros, false);
  std::ranges::replace(written, 'T', ' ');
  return "TIMESTAMP'" + written + "'";
}

std::optional<std::string> real_literal(std::string_view text, bool single) {
  const auto number = parse_float64(text);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  // A float column is compared as a double: the literal must be the double that its float is.
  const double exact = single ? static_cast<double>(static_cast<float>(*number)) : *number;
  std::string digits = float_text(exact);
  if (digits.find('e') == std::string::npos) digits += "e0";  // without an exponent it would be a decimal
  return digits;
}

/// The bytes of `\x00ff`.
std::optional<std::string> unhex(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return std::nullopt;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  std::string bytes;
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string_view bytes_of(const std::array<std::uint8_t, 16>& uuid) {
  return {reinterpret_cast<const char*>(uuid.data()), uuid.size()};
}

bool is_one_of(MysqlKind kind, std::initializer_list<MysqlKind> kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

/// Whether comparing the column with such a value means what it says.
bool comparable(LogicalType type, const MysqlColumn& column) {
  switch (type) {
    case LogicalType::boolean:
      return is_one_of(column.kind, {MysqlKind::integer, MysqlKind::bit});
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
    case LogicalType::decimal:
    case LogicalType::float32:
    case LogicalType::float64:
      return is_one_of(column.kind, {MysqlKind::integer, MysqlKind::decimal, MysqlKind::float32, MysqlKind::float64,
                                     MysqlKind::bit, MysqlKind::year});
    case LogicalType::date:
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return is_one_of(column.kind, {MysqlKind::date, MysqlKind::datetime, MysqlKind::timestamp});
    case LogicalType::time:
      return column.kind == MysqlKind::time;
    case LogicalType::uuid:
      return is_one_of(column.kind, {MysqlKind::uuid, MysqlKind::text, MysqlKind::binary});
    case LogicalType::bytea:
      return column.kind == MysqlKind::binary;
    case LogicalType::text:
      return is_one_of(column.kind, {MysqlKind::text, MysqlKind::binary, MysqlKind::enumeration, MysqlKind::set,
                                     MysqlKind::json, MysqlKind::uuid, MysqlKind::address, MysqlKind::time});
    case LogicalType::json:
    case LogicalType::interval:
    case LogicalType::array:
      break;
  }
  return false;
}

/// nullopt: the text is none of the type's.
std::optional<std::string> literal_of(const Value& value, const MysqlColumn& column) {
  const bool single = column.kind == MysqlKind::float32;
  switch (value.type.logical) {
    case LogicalType::boolean:
      if (value.text == "true") return "1";
      if (value.text == "false") return "0";
      return std::nullopt;
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
    case LogicalType::decimal:
      if (!is_number(value.text)) return std::nullopt;
      if (single) return real_literal(value.text, true);
      return value.text;
    case LogicalType::float32:
    case LogicalType::float64:
      return real_literal(value.text, single);
    case LogicalType::date:
      return date_literal(value.text);
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return timestamp_literal(value.text);
    case LogicalType::time: {
      const auto micros = parse_time(value.text);
      return micros ? std::optional("TIME'" + time_text(*micros) + "'") : std::nullopt;
    }
    case LogicalType::uuid: {
      const auto uuid = parse_uuid(value.text);
      if (!uuid) return std::nullopt;
      if (column.kind == MysqlKind::binary) return binary_literal(bytes_of(*uuid));
      return quote_text(uuid_text(uuid->data()));
    }
    case LogicalType::bytea:
      return binary_literal(unhex(value.text).value_or(value.text));
    case LogicalType::text:
      if (column.kind == MysqlKind::binary) return binary_literal(value.text);
      if (column.kind == MysqlKind::time) {
        return is_time(value.text) ? std::optional("TIME'" + value.text + "'") : std::nullopt;
      }
      return text_literal(value.text);
    case LogicalType::interval:
    case LogicalType::json:
    case LogicalType::array:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::string binary_literal(std::string_view bytes) {
  return "X'" + to_hex(bytes) + "'";
}

Result<std::string> filter_literal(const Value& value, const MysqlColumn& column) {
  if (!comparable(value.type.logical, column)) {
    return fail(source_schema_changed("column \"" + column.name + "\" is " + column.spelled +
                                      " in the database, which cannot be compared with a value of type " +
                                      to_string(value.type) + "; run `longshore catalog check`"));
  }
  if (value.text.find('\0') != std::string::npos) {
    return fail(bad_filter_value("a value with a NUL byte cannot be compared with anything"));
  }
  if (!is_utf8(value.text)) return fail(bad_filter_value("a value to compare with is not valid UTF-8"));
  auto literal = literal_of(value, column);
  if (literal) return *std::move(literal);
  return fail(bad_filter_value("'" + value.text + "', compared with column \"" + column.name + "\", is no " +
                               to_string(value.type) + " that MySQL has"));
}

Result<std::string> key_literal(std::string_view text, const MysqlColumn& column) {
  std::optional<std::string> literal;
  switch (column.kind) {
    case MysqlKind::integer:
    case MysqlKind::decimal:
    case MysqlKind::bit:
    case MysqlKind::year:
    case MysqlKind::enumeration:
    case MysqlKind::set:
      if (is_number(text)) literal = std::string(text);
      break;
    case MysqlKind::float32:
    case MysqlKind::float64:
      literal = real_literal(text, column.kind == MysqlKind::float32);
      break;
    case MysqlKind::binary:
      if (const auto bytes = unhex(text)) {
        literal = binary_literal(*bytes);
      } else if (const auto uuid = parse_uuid(text)) {
        literal = binary_literal(bytes_of(*uuid));
      }
      break;
    case MysqlKind::date:
      literal = date_literal(text);
      break;
    case MysqlKind::datetime:
    case MysqlKind::timestamp:
      literal = timestamp_literal(text);
      break;
    case MysqlKind::time:
      if (is_time(text)) literal = "TIME'" + std::string(text) + "'";
      break;
    case MysqlKind::text:
    case MysqlKind::json:
    case MysqlKind::uuid:
    case MysqlKind::address:
    case MysqlKind::geometry:
    case MysqlKind::other:
      literal = text_literal(text);
      break;
  }
  // 0000-00-00 and 2020-02-00 are no dates, but sort before those that are.
  const bool dated = is_one_of(column.kind, {MysqlKind::date, MysqlKind::datetime, MysqlKind::timestamp});
  if (!literal && dated && text.size() >= 10 && text.size() <= 26 &&
      text.find_first_not_of("0123456789-: .") == std::string_view::npos) {
    literal = quote_text(text);
  }
  if (literal) return *std::move(literal);
  return fail(internal_error("bad_key", "'" + std::string(text) + "' is no key of column \"" + column.name + "\""));
}

std::string key_text(std::string_view wire, const MysqlWireColumn& column) {
  if (column.kind != MysqlKind::binary) return std::string(wire);
  if (column.type.logical == LogicalType::uuid && wire.size() == 16) {
    return uuid_text(reinterpret_cast<const std::uint8_t*>(wire.data()));
  }
  return "\\x" + to_hex(wire);
}

}  // namespace longshore
