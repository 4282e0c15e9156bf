#pragma once

#include "base/result.h"
#include "http/message.h"

namespace longshore {

/// The HTTP status of an error. Known codes have theirs (see the table in README.md); of the others, the user's are
/// 400, external ones that may pass 503, the rest 500.
int status_of(const Error& error);

/// An RFC 9457 answer: `application/problem+json` with type, title, status, detail, instance, code, requestId and, when
/// there are details, `errors[]` of `{pointer | parameter, code, detail}` (a `where` that begins with `?` is a query
/// parameter, anything else a JSON pointer into the body).
///
/// `type` is the relative reference `/problems/<code with dashes>`: stable, whatever the server's public address is.
/// Faults that are not the client's (500, 503) show a general detail; their message goes to `note.error_detail`
/// for the log. 401 carries `WWW-Authenticate: Bearer`, 503 `Retry-After`.
Response problem_response(const Error& error, const Request& request);
/// The same with a status that the transport decided.
Response problem_response(int status, const Error& error, const Request& request);

}  // namespace longshore
