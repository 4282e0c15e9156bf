#pragma once

#include "http/api_context.h"
#include "http/router.h"
#include "jobs/export_service.h"

namespace longshore {

/// Adds everything under `/v1/exports`. `context` and `service` must outlive the router.
void append_export_routes(Router& router, const ApiContext& context, ExportService& service);

}  // namespace longshore
