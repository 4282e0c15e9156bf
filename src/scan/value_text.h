#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "batch/column_vector.h"

/// Canonical text (see model/key.h) to the values of a ColumnVector and back. Pure functions. The formats are those
/// that PostgreSQL and SQLite read and write themselves: ISO 8601 with `T` or a space, ` BC` for years before 1,
/// `infinity` and `-infinity`.
namespace longshore {

/// `2026-06-06`; years need not have four digits.
std::string date_text(std::int32_t days_since_1970);
/// `2026-06-06T14:20:00.000001`, the fraction only if there is one; with a `Z` for timestamptz.
std::string timestamp_text(std::int64_t micros_since_1970, bool utc);
/// `14:20:00.000001`; microseconds since midnight, up to 24:00:00.
std::string time_text(std::int64_t micros);
/// 36 characters, lower case.
std::string uuid_text(const std::uint8_t* bytes16);
/// Digits with `scale` of them after the point.
std::string decimal_text(Int128 scaled, int scale);
std::string int128_text(Int128 value);
/// The shortest digits that read back as the same number (`1e+20`, `0.1`), or `NaN`, `Infinity`, `-Infinity`.
std::string float_text(double value);
std::string float_text(float value);

std::optional<std::int32_t> parse_date(std::string_view text);
/// A zone offset (`Z`, `+02`, `+02:00`, `-0330`) moves the result to UTC; without one the text counts as UTC. A date
/// alone is midnight.
std::optional<std::int64_t> parse_timestamp(std::string_view text);
std::optional<std::int64_t> parse_time(std::string_view text);
/// 36 characters with hyphens or 32 without, any case.
std::optional<std::array<std::uint8_t, 16>> parse_uuid(std::string_view text);
/// nullopt when `text` is no decimal number (digits, a point, an exponent) or does not fit numeric(precision, scale)
/// without rounding. REQUIRES: 1 <= precision <= 38 and 0 <= scale <= precision.
std::optional<Int128> parse_decimal(std::string_view text, int precision, int scale);
std::optional<std::int64_t> parse_int64(std::string_view text);
/// Also `NaN`, `Infinity`, `-Infinity`.
std::optional<double> parse_float64(std::string_view text);
std::optional<float> parse_float32(std::string_view text);

/// 10 to the power of `exponent`. REQUIRES: 0 <= exponent <= 38.
Int128 power_of_ten(int exponent);

}  // namespace longshore
