#pragma once

#include <string>
#include <vector>

#include "http/api_context.h"
#include "http/router.h"
#include "jobs/export_service.h"

namespace longshore {

/// `{"workers":[{"workerId":…,"host":…,"pid":…,"startedAt":…,"heartbeatAt":…,"alive":…,"claims":…}]}`.
std::string workers_json(const std::vector<WorkerRecord>& workers);

/// Adds `/v1/workers`. `context` and `service` must outlive the router.
void append_worker_routes(Router& router, const ApiContext& context, ExportService& service);

}  // namespace longshore
