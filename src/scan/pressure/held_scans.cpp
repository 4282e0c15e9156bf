#include "scan/pressure/held_scans.h"

#include "telemetry/log.h"

namespace longshore {

HeldScans::Hold::Hold(HeldScans& scans, const std::string& why) : scans_(scans) {
  if (scans_.now_++ == 0) log_warn("reading a source is paused", {{"source", scans_.source_}, {"reason", why}});
}

HeldScans::Hold::~Hold() {
  if (--scans_.now_ == 0) log_info("reading a source goes on", {{"source", scans_.source_}});
}

}  // namespace longshore
