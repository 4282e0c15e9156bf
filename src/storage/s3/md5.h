#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace longshore::s3 {

/// MD5 (RFC 1321), 16 raw bytes; S3 uses it for Content-MD5 and ETags, to tell accidents apart. Nothing where the
/// system forbids MD5 (FIPS): uploads then go without, and are still covered by their SHA-256.
std::optional<std::string> md5(std::string_view bytes);

}  // namespace longshore::s3
