#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/message.h"
#include "jobs/export_service.h"

namespace longshore {

/// The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header), bare or as a quoted sf-string (RFC 9651
/// section 3.3.3): `abc` and `"abc"` are the same key. Empty when there is none. 1 to 256 visible ASCII characters;
/// error `malformed_request`.
Result<std::string> idempotency_key_of(const Request& request);

/// The query of `GET /v1/exports`: status, exportType, requestedBy, pageSize (1 to 200), pageToken, each at most once.
/// Error `invalid_parameter` with a detail for each finding, its `where` = `?name`.
Result<JobQuery> job_query_of(const Request& request);

/// The optional body of a download-url request: `{"expiresInSeconds":N}`, N a positive whole number (the upper limit is
/// the service's). Errors: `unsupported_media_type`, `malformed_request`, `invalid_request`.
Result<std::optional<std::chrono::seconds>> link_lifetime_of(const Request& request);

}  // namespace longshore
