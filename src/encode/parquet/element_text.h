#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Values as they are spelled inside JSON arrays: by PostgreSQL's to_json(), or as applications write them. Pure
/// functions; nullopt when the text is no such value.
namespace longshore::parquet {

/// `2026-06-06`, `0044-03-15 BC`; days since 1970-01-01.
std::optional<std::int32_t> read_date(std::string_view text);
/// `14:20:00`, `14:20:00.5`; microseconds since midnight.
std::optional<std::int64_t> read_time(std::string_view text);
/// A date and a time with `T` or a space between, then perhaps an offset (`Z`, `+02`, `+02:00`), then perhaps ` BC`;
/// microseconds since 1970-01-01 UTC.
std::optional<std::int64_t> read_timestamp(std::string_view text);
/// 36 characters with hyphens, any case.
std::optional<std::array<char, 16>> read_uuid(std::string_view text);
/// RFC 4648 section 4, padded.
std::optional<std::string> read_base64(std::string_view text);

/// The characters of a JSON string, of which `text` is what stands between the quotes (RFC 8259 section 7). What is no
/// valid escape, and half a surrogate pair, becomes U+FFFD.
std::string unescape_json(std::string_view text);

}  // namespace longshore::parquet
