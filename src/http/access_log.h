#pragma once

#include "http/server.h"
#include "telemetry/metrics.h"

namespace longshore {

/// An observer that writes a log line for each exchange (method, route template, status, duration, request id, client,
/// tenant, user, error) and counts it in `metrics`, which must outlive it. A 5xx is logged as an error with its
/// internal details; health checks and scrapes that succeed only at level debug. Never a path, query, token or body:
/// download links carry their signature in the query.
ExchangeObserver make_access_log(Metrics& metrics);

}  // namespace longshore
