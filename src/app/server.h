#pragma once

#include <stop_token>
#include <string>

#include "app/configuration.h"
#include "base/result.h"

namespace longshore {

/// Runs API and worker in this process until `stop` is requested, then shuts down: stops accepting, lets requests
/// finish, hands claims back. Logs `listening` with the endpoint once requests are served. Errors: whatever keeps it
/// from starting, e.g. `bad_catalog`, `catalog_not_found`, `listen_failed`, `metadata_unavailable`, `store_denied`.
Status run_server(const Configuration& configuration, std::stop_token stop);

}  // namespace longshore
