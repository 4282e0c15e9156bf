#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/principal.h"

namespace longshore {

/// What two requests with one Idempotency-Key must agree on: the caller and the body, whatever its white space and the
/// order of its members. SHA-256 in hexadecimal. Errors: `malformed_request` (not JSON).
Result<std::string> request_digest(const Principal& who, std::string_view body);

}  // namespace longshore
