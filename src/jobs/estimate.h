#pragma once

#include "encode/encoder.h"
#include "jobs/export_service.h"
#include "scan/row_source.h"

namespace longshore {

/// What an export would be, by what its source says of its size. A pure function.
/// `rows_per_second`: how fast exports like this one are.
Estimate make_estimate(const ScanEstimate& size, const ExportSpec& spec, const FormatTraits& format,
                       double rows_per_second);

}  // namespace longshore
