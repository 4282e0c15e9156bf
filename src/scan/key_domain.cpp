#include "scan/key_domain.h"

#include <array>

#include "scan/value_text.h"

namespace longshore {

namespace {

/// UUIDs sort as 128-bit unsigned numbers; the lowest bit is given up so that they fit a signed one.
Int128 uuid_number(const std::array<std::uint8_t, 16>& bytes) {
  UInt128 value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return static_cast<Int128>(value >> 1);
}

std::string uuid_of(Int128 number) {
  UInt128 value = static_cast<UInt128>(number) << 1;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = bytes.size(); i-- > 0; value >>= 8) bytes[i] = static_cast<std::uint8_t>(value);
  return uuid_text(bytes.data());
}

}  // namespace

std::optional<KeyDomain> KeyDomain::of(const DataType& type) {
  switch (type.logical) {
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
    case LogicalType::uuid:
    case LogicalType::date:
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return KeyDomain(type);
    case LogicalType::decimal:
      if (physical_type(type) == PhysicalType::decimal128) return KeyDomain(type);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<Int128> KeyDomain::number(std::string_view text) const {
  switch (type_.logical) {
    case LogicalType::uuid: {
      const auto bytes = parse_uuid(text);
      return bytes ? std::optional(uuid_number(*bytes)) : std::nullopt;
    }
    case LogicalType::date: {
      const auto days = parse_date(text);
      if (!days || *days == kDateInfinity || *days == kDateMinusInfinity) return std::nullopt;
      return *days;
    }
    case LogicalType::timestamp:
    case LogicalType::timestamptz: {
      const auto micros = parse_timestamp(text);
      if (!micros || *micros == kTimestampInfinity || *micros == kTimestampMinusInfinity) return std::nullopt;
      return *micros;
    }
    case LogicalType::decimal:
      return parse_decimal(text, type_.precision, type_.scale);
    default: {
      const auto value = parse_int64(text);
      return value ? std::optional<Int128>(*value) : std::nullopt;
    }
  }
}

std::string KeyDomain::text(Int128 number) const {
  switch (type_.logical) {
    case LogicalType::uuid:
      return uuid_of(number);
    case LogicalType::date:
      return date_text(static_cast<std::int32_t>(number));
    case LogicalType::timestamp:
      return timestamp_text(static_cast<std::int64_t>(number), false);
    case LogicalType::timestamptz:
      return timestamp_text(static_cast<std::int64_t>(number), true);
    case LogicalType::decimal:
      return decimal_text(number, type_.scale);
    default:
      return int128_text(number);
  }
}

}  // namespace longshore
