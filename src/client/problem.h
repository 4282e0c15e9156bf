#pragma once

#include "base/result.h"
#include "client/http_transport.h"

namespace longshore {

/// The error that an answer of status 400 or more stands for: code, detail and bad fields of its problem+json
/// (RFC 9457), or what the status says when the body is none (a proxy's page).
///
/// 401 always has the code `unauthenticated`, 403 `permission_denied`, 404 one that ends in `_not_found`, 429
/// `too_many_requests`. Statuses 408, 429 and 5xx but 501 are external and retriable; the others user errors.
Error error_of_response(const HttpResponse& response);

}  // namespace longshore
