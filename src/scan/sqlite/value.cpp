#include "scan/sqlite/value.h"

#include <cmath>
#include <cstdio>

#include "scan/append_value.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

using Storage = SqliteValue::Storage;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;

std::optional<std::int64_t> whole_number(const SqliteValue& value) {
  switch (value.storage) {
    case Storage::integer:
      return value.integer;
    case Storage::real:
      // Beyond 2^53 neighbouring integers are the same double.
      if (std::trunc(value.real) != value.real || std::abs(value.real) > 9007199254740992.0) return std::nullopt;
      return static_cast<std::int64_t>(value.real);
    case Storage::text:
      return parse_int64(value.bytes);
    default:
      return std::nullopt;
  }
}

std::optional<double> real_number(const SqliteValue& value) {
  switch (value.storage) {
    case Storage::integer:
      return static_cast<double>(value.integer);
    case Storage::real:
      return value.real;
    case Storage::text:
      return parse_float64(value.bytes);
    default:
      return std::nullopt;
  }
}

std::optional<Int128> decimal(const SqliteValue& value, int precision, int scale) {
  if (value.storage == Storage::blob) return std::nullopt;
  if (const auto exact = parse_decimal(value.to_text(), precision, scale)) return exact;
  if (value.storage != Storage::real) return std::nullopt;
  // Sums leave noise behind the digits that a double holds surely: 0.30000000000000004.
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.15g", value.real);
  return parse_decimal(digits, precision, scale);
}

/// Exact decimal text without an exponent where the number is not huge.
std::optional<std::string> free_decimal(const SqliteValue& value) {
  if (value.storage == Storage::blob) return std::nullopt;
  std::string text = value.to_text();
  if (!parse_float64(text)) return std::nullopt;
  return text;
}

bool append_whole(const SqliteValue& value, ColumnVector& column) {
  const auto number = whole_number(value);
  return number && append_integer(*number, column);
}

}  // namespace

SqliteValue SqliteValue::of(std::int64_t value) {
  return {.storage = Storage::integer, .integer = value, .real = 0, .bytes = {}};
}
SqliteValue SqliteValue::of(double value) {
  return {.storage = Storage::real, .integer = 0, .real = value, .bytes = {}};
}
SqliteValue SqliteValue::of_text(std::string_view value) {
  return {.storage = Storage::text, .integer = 0, .real = 0, .bytes = value};
}
SqliteValue SqliteValue::of_blob(std::string_view value) {
  return {.storage = Storage::blob, .integer = 0, .real = 0, .bytes = value};
}

std::string SqliteValue::to_text() const {
  switch (storage) {
    case Storage::null:
      return {};
    case Storage::integer:
      return std::to_string(integer);
    case Storage::real:
      return float_text(real);
    case Storage::text:
    case Storage::blob:
      return std::string(bytes);
  }
  return {};
}

std::optional<std::int64_t> sqlite_micros(const SqliteValue& value) {
  if (value.storage == Storage::text) return parse_timestamp(value.bytes);
  std::int64_t micros = 0;
  if (value.storage != Storage::integer || __builtin_mul_overflow(value.integer, kMicrosPerSecond, &micros)) {
    return std::nullopt;
  }
  return micros;
}

std::optional<std::int32_t> sqlite_days(const SqliteValue& value) {
  if (value.storage == Storage::text) {
    if (const auto days = parse_date(value.bytes)) return days;
  }
  const auto micros = sqlite_micros(value);
  if (!micros || *micros == kTimestampInfinity || *micros == kTimestampMinusInfinity || *micros % kMicrosPerDay != 0) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(*micros / kMicrosPerDay);
}

std::optional<std::int64_t> sqlite_time(const SqliteValue& value) {
  return value.storage == Storage::text ? parse_time(value.bytes) : std::nullopt;
}

std::optional<bool> sqlite_boolean(const SqliteValue& value) {
  if (value.storage == Storage::integer && (value.integer == 0 || value.integer == 1)) return value.integer == 1;
  if (value.storage != Storage::text) return std::nullopt;
  std::string word(value.bytes);
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (word == "true" || word == "t" || word == "1") return true;
  if (word == "false" || word == "f" || word == "0") return false;
  return std::nullopt;
}

std::optional<std::array<std::uint8_t, 16>> sqlite_uuid(const SqliteValue& value) {
  if (value.storage == Storage::text) return parse_uuid(value.bytes);
  if (value.storage != Storage::blob || value.bytes.size() != 16) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(value.bytes[i]);
  return bytes;
}

bool append_sqlite_value(const SqliteValue& value, ColumnVector& column) {
  const DataType& type = column.type();
  switch (type.logical) {
    case LogicalType::boolean: {
      const auto truth = sqlite_boolean(value);
      if (truth) column.append(static_cast<std::uint8_t>(*truth));
      return truth.has_value();
    }
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
      return append_whole(value, column);
    case LogicalType::float32: {
      const auto number = real_number(value);
      if (number) column.append(static_cast<float>(*number));
      return number.has_value();
    }
    case LogicalType::float64:
      return append_optional(real_number(value), column);
    case LogicalType::decimal: {
      if (column.physical() == PhysicalType::decimal128) {
        return append_optional(decimal(value, type.precision, type.scale), column);
      }
      const auto text = free_decimal(value);
      if (text) column.append_text(*text);
      return text.has_value();
    }
    case LogicalType::uuid:
      return append_optional(sqlite_uuid(value), column);
    case LogicalType::date:
      return append_optional(sqlite_days(value), column);
    case LogicalType::time:
      return append_optional(sqlite_time(value), column);
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return append_optional(sqlite_micros(value), column);
    case LogicalType::json:
    case LogicalType::array: {
      // The statement hands text that is no JSON over as a blob.
      const std::string text = value.to_text();
      const bool valid = value.storage != Storage::blob && (type.logical == LogicalType::json || text.starts_with('['));
      if (valid) column.append_text(text);
      return valid;
    }
    case LogicalType::text:
    case LogicalType::interval:
      if (value.storage == Storage::integer || value.storage == Storage::real) {
        column.append_text(value.to_text());
        return true;
      }
      column.append_text(value.bytes);
      return true;
    case LogicalType::bytea:
      if (value.storage != Storage::text && value.storage != Storage::blob) return false;
      column.append_text(value.bytes);
      return true;
  }
  return false;
}

}  // namespace longshore
