#pragma once

#include <cstdint>

#include "encode/encoder.h"

namespace longshore {

/// What an installation allows of formats that could go on for ever; `limits` of the configuration.
struct FormatLimits {
  int xlsx_max_sheets = 10;
  std::int64_t pdf_max_rows = 200'000;
};

/// The formats of this build: the one list of them.
FormatTable make_format_table(const FormatLimits& limits = {});

}  // namespace longshore
