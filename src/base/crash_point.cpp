#include "base/crash_point.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace longshore {

namespace {
std::string armed_name;         // NOLINT: written once before threads exist
std::atomic<int> hits_left{0};  // 0: not armed
}  // namespace

void arm_crash_points() {
  const char* value = std::getenv("LONGSHORE_CRASH_AT");
  if (value == nullptr || *value == '\0') return;
  armed_name = value;
  int hits = 1;
  if (const auto colon = armed_name.rfind(':'); colon != std::string::npos) {
    hits = std::atoi(armed_name.c_str() + colon + 1);
    armed_name.resize(colon);
  }
  hits_left = hits;
}

void crash_point(const char* name) {
  if (hits_left.load(std::memory_order_relaxed) <= 0) return;
  if (armed_name == name && hits_left.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

}  // namespace longshore
