#pragma once

#include <string>

#include "http/router.h"

namespace longshore {

/// The description of the API in OpenAPI 3.1, as JSON. `public_url`: where clients reach this server.
std::string openapi_document(const std::string& public_url);

/// Adds `/openapi.json`, without credentials: it says nothing that this source does not.
void append_openapi_routes(Router& router, const std::string& public_url);

}  // namespace longshore
