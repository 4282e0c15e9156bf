#pragma once

#include <vector>

#include "catalog/request.h"
#include "encode/encoder.h"

namespace longshore {

/// The formats of a table as the validation of requests wants them: catalog/ knows no encoders.
std::vector<FormatChoice> format_choices(const FormatTable& formats);

}  // namespace longshore
