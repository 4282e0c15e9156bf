#include "scan/postgres/wire_value.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <limits>

#include "base/digest.h"
#include "scan/append_value.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

/// PostgreSQL counts from 2000-01-01.
constexpr std::int32_t kEpochDays = 10'957;
constexpr std::int64_t kEpochMicros = 946'684'800'000'000;

template <class T>
T read_big_endian(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
}

bool append_float(double value, ColumnVector& column) {
  if (column.physical() == PhysicalType::float32) {
    column.append(static_cast<float>(value));
  } else {
    column.append(value);
  }
  return true;
}

bool append_date(std::int32_t days_since_2000, ColumnVector& column) {
  if (days_since_2000 == INT32_MAX || days_since_2000 == INT32_MIN) {
    column.append(days_since_2000);  // infinity is the same on both sides
    return true;
  }
  std::int32_t days = 0;
  if (__builtin_add_overflow(days_since_2000, kEpochDays, &days)) return false;
  column.append(days);
  return true;
}

bool append_timestamp(std::int64_t micros_since_2000, ColumnVector& column) {
  if (micros_since_2000 == INT64_MAX || micros_since_2000 == INT64_MIN) {
    column.append(micros_since_2000);
    return true;
  }
  std::int64_t micros = 0;
  // The last 29 years that PostgreSQL knows (up to 294276 AD) are beyond 64 bits from 1970.
  if (__builtin_add_overflow(micros_since_2000, kEpochMicros, &micros)) return false;
  column.append(micros);
  return true;
}

// --- numeric (src/backend/utils/adt/numeric.c, numeric_send): int16 number of base-10000 digits, weight of the first,
// sign, digits shown after the point; then the digits.

struct NumericHeader {
  int digits = 0;
  int weight = 0;
  std::uint16_t sign = 0;
  int display_scale = 0;
  const char* data = nullptr;

  int digit(int index) const { return read_big_endian<std::uint16_t>(data + std::ptrdiff_t{index} * 2); }
};

constexpr std::uint16_t kNumericNegative = 0x4000;
constexpr std::uint16_t kNumericNan = 0xC000;
constexpr std::uint16_t kNumericInfinity = 0xD000;
constexpr std::uint16_t kNumericMinusInfinity = 0xF000;

bool read_numeric(std::string_view field, NumericHeader& header) {
  if (field.size() < 8) return false;
  header.digits = read_big_endian<std::int16_t>(field.data());
  header.weight = read_big_endian<std::int16_t>(field.data() + 2);
  header.sign = read_big_endian<std::uint16_t>(field.data() + 4);
  header.display_scale = read_big_endian<std::int16_t>(field.data() + 6);
  header.data = field.data() + 8;
  return header.digits >= 0 && header.display_scale >= 0 &&
         field.size() == 8 + static_cast<std::size_t>(header.digits) * 2;
}

constexpr std::array<int, 5> kSmallPowers = {1, 10, 100, 1000, 10'000};

bool append_numeric(std::string_view field, ColumnVector& column) {
  if (column.physical() == PhysicalType::decimal128) {
    Int128 value = 0;
    if (!numeric_decimal(field, column.type().precision, column.type().scale, value)) return false;
    column.append(value);
    return true;
  }
  const std::string text = numeric_text(field);
  if (text.empty()) return false;
  column.append_text(text);
  return true;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool append_hex(std::string_view digits, std::string& out) {
  if (digits.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_value(digits[i]);
    const int low = hex_value(digits[i + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

/// `["\\x00ff",null]` to `["AP8=",null]`, in any nesting.
bool append_bytea_array(std::string_view json, ColumnVector& column) {
  constexpr std::string_view kOpening = "\"\\\\x";  // the JSON spelling of "\x
  std::string text;
  std::size_t at = 0;
  while (at < json.size()) {
    if (json[at] != '"') {
      text += json[at++];
      continue;
    }
    if (json.substr(at, kOpening.size()) != kOpening) return false;
    const std::size_t begin = at + kOpening.size();
    const std::size_t end = json.find('"', begin);
    std::string bytes;
    if (end == std::string_view::npos || !append_hex(json.substr(begin, end - begin), bytes)) return false;
    text += '"' + base64_encode(bytes) + '"';
    at = end + 1;
  }
  column.append_text(text);
  return true;
}

/// The characters of a field without escapes, in `scratch` if there were any.
std::string_view plain_text(std::string_view field, std::string& scratch) {
  if (field.find('\\') == std::string_view::npos) return field;
  scratch = unescape_copy_text(field);
  return scratch;
}

bool append_bytea_text(std::string_view field, ColumnVector& column) {
  if (!field.starts_with("\\\\x")) return false;  // the backslash of \x comes escaped
  const std::string_view digits = field.substr(3);
  if (digits.size() % 2 != 0) return false;
  char* out = column.reserve_bytes(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_value(digits[i]);
    const int low = hex_value(digits[i + 1]);
    if (high < 0 || low < 0) return false;
    *out++ = static_cast<char>(high * 16 + low);
  }
  column.finish_bytes(digits.size() / 2);
  return true;
}

bool append_float_text(std::string_view field, ColumnVector& column) {
  if (column.physical() == PhysicalType::float32) return append_optional(parse_float32(field), column);
  return append_optional(parse_float64(field), column);
}

bool append_numeric_text(std::string_view field, ColumnVector& column) {
  if (column.physical() != PhysicalType::decimal128) {
    column.append_text(field);
    return true;
  }
  return append_optional(parse_decimal(field, column.type().precision, column.type().scale), column);
}

}  // namespace

std::string numeric_text(std::string_view field) {
  NumericHeader header;
  if (!read_numeric(field, header)) return {};
  switch (header.sign) {
    case kNumericNan:
      return "NaN";
    case kNumericInfinity:
      return "Infinity";
    case kNumericMinusInfinity:
      return "-Infinity";
    default:
      break;
  }
  const auto digit = [&](int group) { return group >= 0 && group < header.digits ? header.digit(group) : 0; };
  std::string text;
  if (header.sign == kNumericNegative) text += '-';
  if (header.weight < 0) {
    text += '0';
  } else {
    for (int group = 0; group <= header.weight; ++group) {
      std::array<char, 4> four = {'0', '0', '0', '0'};
      int rest = digit(group);
      for (int i = 3; i >= 0; --i, rest /= 10) four[static_cast<std::size_t>(i)] = static_cast<char>('0' + rest % 10);
      text.append(four.data(), 4);
    }
    const std::size_t sign = header.sign == kNumericNegative ? 1 : 0;
    const std::size_t first = text.find_first_not_of('0', sign);
    text.erase(sign, std::min(first, text.size() - 1) - sign);
  }
  if (header.display_scale > 0) {
    text += '.';
    int group = header.weight + 1;
    for (int shown = 0; shown < header.display_scale; ++group) {
      int divisor = 1000;
      for (int i = 0; i < 4 && shown < header.display_scale; ++i, ++shown, divisor /= 10) {
        text += static_cast<char>('0' + digit(group) / divisor % 10);
      }
    }
  }
  return text;
}

bool numeric_decimal(std::string_view field, int precision, int scale, Int128& value) {
  NumericHeader header;
  if (!read_numeric(field, header)) return false;
  if (header.sign != 0 && header.sign != kNumericNegative) return false;  // NaN and infinities
  Int128 sum = 0;
  // Group i stands for digit(i) * 10^power; power falls by four from group to group.
  int power = header.weight * 4 + scale;
  for (int i = 0; i < header.digits; ++i, power -= 4) {
    const int digit = header.digit(i);
    if (power >= 0) {
      if (__builtin_mul_overflow(sum, static_cast<Int128>(10'000), &sum)) return false;
      sum += digit;
    } else if (power > -4) {
      // The scale ends inside this group: what lies behind it must be zeros.
      const int behind = kSmallPowers[static_cast<std::size_t>(-power)];
      if (digit % behind != 0) return false;
      if (__builtin_mul_overflow(sum, static_cast<Int128>(10'000 / behind), &sum)) return false;
      sum += digit / behind;
    } else if (digit != 0) {
      return false;
    }
  }
  const int missing = power + 4;  // of the last group, whose zeros to the right are not sent
  if (missing > 0 && sum != 0) {
    if (missing > 38 || __builtin_mul_overflow(sum, power_of_ten(missing), &sum)) return false;
  }
  if (sum < 0 || (precision < 39 && sum >= power_of_ten(precision))) return false;
  value = header.sign == kNumericNegative ? -sum : sum;
  return true;
}

bool append_binary(WireKind kind, std::string_view field, ColumnVector& column) {
  const char* const data = field.data();
  switch (kind) {
    case WireKind::boolean:
      if (field.size() != 1) return false;
      column.append(static_cast<std::uint8_t>(*data != 0));
      return true;
    case WireKind::int2:
      return field.size() == 2 && append_integer(read_big_endian<std::int16_t>(data), column);
    case WireKind::int4:
      return field.size() == 4 && append_integer(read_big_endian<std::int32_t>(data), column);
    case WireKind::int8:
      return field.size() == 8 && append_integer(read_big_endian<std::int64_t>(data), column);
    case WireKind::float4:
      return field.size() == 4 && append_float(std::bit_cast<float>(read_big_endian<std::uint32_t>(data)), column);
    case WireKind::float8:
      return field.size() == 8 && append_float(std::bit_cast<double>(read_big_endian<std::uint64_t>(data)), column);
    case WireKind::numeric:
      return append_numeric(field, column);
    case WireKind::uuid:
      if (field.size() != 16) return false;
      {
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), data, 16);
        column.append(bytes);
      }
      return true;
    case WireKind::date:
      return field.size() == 4 && append_date(read_big_endian<std::int32_t>(data), column);
    case WireKind::time:
      if (field.size() != 8) return false;
      column.append(read_big_endian<std::int64_t>(data));
      return true;
    case WireKind::timestamp:
      return field.size() == 8 && append_timestamp(read_big_endian<std::int64_t>(data), column);
    case WireKind::jsonb:
      if (field.empty() || *data != 1) return false;  // the version of jsonb's external form
      column.append_text(field.substr(1));
      return true;
    case WireKind::bytea_array:
      return append_bytea_array(field, column);
    case WireKind::text:
    case WireKind::bytea:
      column.append_text(field);
      return true;
  }
  return false;
}

bool append_text_format(WireKind kind, std::string_view field, ColumnVector& column) {
  switch (kind) {
    case WireKind::boolean:
      if (field != "t" && field != "f") return false;
      column.append(static_cast<std::uint8_t>(field == "t"));
      return true;
    case WireKind::int2:
    case WireKind::int4:
    case WireKind::int8: {
      const auto value = parse_int64(field);
      return value && append_integer(*value, column);
    }
    case WireKind::float4:
    case WireKind::float8:
      return append_float_text(field, column);
    case WireKind::numeric:
      return append_numeric_text(field, column);
    case WireKind::uuid:
      return append_optional(parse_uuid(field), column);
    case WireKind::date:
      return append_optional(parse_date(field), column);
    case WireKind::time:
      return append_optional(parse_time(field), column);
    case WireKind::timestamp:
      return append_optional(parse_timestamp(field), column);
    case WireKind::bytea:
      return append_bytea_text(field, column);
    case WireKind::bytea_array: {
      std::string scratch;
      return append_bytea_array(plain_text(field, scratch), column);
    }
    case WireKind::text:
    case WireKind::jsonb: {
      std::string scratch;
      column.append_text(plain_text(field, scratch));
      return true;
    }
  }
  return false;
}

std::string unescape_copy_text(std::string_view field) {
  std::string text;
  text.reserve(field.size());
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\' || i + 1 == field.size()) {
      text += field[i];
      continue;
    }
    // COPY TO writes only these; anything else after a backslash is itself.
    switch (const char c = field[++i]) {
      case 'b':
        text += '\b';
        break;
      case 'f':
        text += '\f';
        break;
      case 'n':
        text += '\n';
        break;
      case 'r':
        text += '\r';
        break;
      case 't':
        text += '\t';
        break;
      case 'v':
        text += '\v';
        break;
      default:
        text += c;
    }
  }
  return text;
}

}  // namespace longshore
