#include "base/crash_point.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

namespace longshore {
namespace {

/// Comes to `a`, `b`, `a`, `b` and exits with 0, if it lives.
void walk(const char* armed) {
  ::setenv("LONGSHORE_CRASH_AT", armed, 1);
  arm_crash_points();
  for (int i = 0; i < 2; ++i) {
    crash_point("a");
    crash_point("b");
  }
  std::_Exit(0);
}

TEST(CrashPoint, KillsAtTheNthTimeOnly) {
  EXPECT_EXIT(walk("b:2"), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(walk("a"), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(walk("a:3"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(walk("c"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(walk(""), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace longshore
