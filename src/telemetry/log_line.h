#pragma once

#include <string>

#include "base/clock.h"
#include "telemetry/log.h"

namespace longshore {

/// One line of the log without its newline. Control characters are escaped and bytes that are not UTF-8 become U+FFFD,
/// so a value can neither forge a line nor break a reader. A field named like a secret (`token`, `password`, `secret`,
/// `authorization`, …) is written as `[redacted]`.
std::string log_line(LogFormat format, Timestamp time, LogLevel level, std::string_view message, LogFields fields);

}  // namespace longshore
