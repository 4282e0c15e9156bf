#pragma once

#include <string>

#include "base/clock.h"

namespace longshore {

/// `n` bytes from the operating system's generator, fit for secrets. Throws std::system_error if there is none.
std::string random_bytes(std::size_t n);
/// A UUID version 7 (RFC 9562): sorts by `now`, then random. 36 characters, lower case.
std::string uuid_v7(Timestamp now);
/// Whether `text` is a UUID in the 36-character lower-case form.
bool is_uuid(std::string_view text);

}  // namespace longshore
