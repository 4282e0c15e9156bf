#pragma once

#include <vector>

#include "catalog/request.h"
#include "encode/encoder.h"

namespace longshore {

/// The formats of this build: the one list of them.
FormatTable make_format_table();
/// The same, as the request validation wants it.
std::vector<FormatChoice> format_choices(const FormatTable& formats);

}  // namespace longshore
