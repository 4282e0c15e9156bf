#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace longshore {

// One word → a value in its range. Errors: `bad_value`, with a message that says what would fit and shows the word.

/// Decimal digits with an optional `-`.
Result<std::int64_t> read_integer(std::string_view text, std::int64_t least, std::int64_t most);
/// `true` or `false`.
Result<bool> read_boolean(std::string_view text);
/// A duration as in parse_duration, e.g. `300ms`, `5s`, `7d`.
Result<Duration> read_duration(std::string_view text, Duration least, Duration most);
/// Bytes as in parse_byte_size, e.g. `8MiB`.
Result<std::int64_t> read_byte_size(std::string_view text, std::int64_t least, std::int64_t most);

/// The shortest spelling that read_duration reads back, e.g. `90s`, `7d`.
std::string format_duration(Duration duration);
/// The shortest spelling that read_byte_size reads back, e.g. `8MiB`.
std::string format_byte_size(std::int64_t bytes);

}  // namespace longshore
