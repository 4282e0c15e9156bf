#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/router.h"

namespace longshore {

/// One thing that the server cannot work without.
struct Probe {
  std::string name;               ///< `metadata`, `store`, `source:app`
  std::function<Status()> check;  ///< quick, or bounded by a timeout of its own; thread-safe
  /// An error of this code says that nothing could be found out: it is shown as `unknown`, with the reason, and is none
  /// to be called not ready.
  std::string unknown_code{};
};

/// Adds `/healthz` (200 while the process answers), `/readyz` (200, or 503 when a probe fails; each named with `ok`,
/// `unknown` or its error code, and what is wrong in words) and `/metrics`. None asks for credentials: keep them from
/// the public at the reverse proxy.
///
/// The outcome of the probes is kept for a second, and one caller at a time asks them, so that nobody can load a
/// database by way of `/readyz`. `metrics` returns Prometheus text. `clock` must outlive the router.
void append_health_routes(Router& router, const Clock& clock, std::vector<Probe> probes,
                          std::function<std::string()> metrics);

}  // namespace longshore
