#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace longshore {

inline constexpr std::size_t kMaxObjectKeyBytes = 512;
/// File systems name no file with more; every store keeps to it so that a key valid in one is valid in all.
inline constexpr std::size_t kMaxKeySegmentBytes = 255;

/// Whether `key` is a relative path of `[A-Za-z0-9._/=-]`, at most 512 bytes, whose segments are neither empty nor `.`
/// nor `..` nor over 255 bytes. Errors: `bad_object_key` (user), with what is wrong; unprintable bytes are escaped in
/// it.
Status check_object_key(std::string_view key);

/// The same for the beginning of a key, as list() takes it: empty, or cut off anywhere (`tenant/exports/2026`).
Status check_key_prefix(std::string_view prefix);

}  // namespace longshore
