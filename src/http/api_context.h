#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "http/router.h"
#include "model/principal.h"

namespace longshore {

/// Who sent this value of the Authorization header (empty: there was none). Errors: `unauthenticated` and what stands
/// in the way of finding out. Thread-safe.
using Authenticator = std::function<Result<Principal>(std::string_view authorization)>;

/// What the API's routes share. Lives as long as the router.
struct ApiContext {
  Authenticator authenticate;
  std::string public_url;  ///< where clients reach this server, without a slash at the end
};

/// A route for an authenticated caller; an error becomes a problem.
using ApiHandler = std::function<Result<Response>(const Request&, const Principal&)>;

/// Wraps `handler`: authenticates first (401), turns its error into problem+json, and notes tenant and user for the
/// log.
RouteHandler for_principal(const ApiContext& context, ApiHandler handler);

/// Whether the body is declared as JSON; error `unsupported_media_type`. Media type parameters (charset) are accepted.
Status require_json(const Request& request);

}  // namespace longshore
