#pragma once

namespace longshore {

/// Reads LONGSHORE_CRASH_AT (`NAME` or `NAME:N`) once, at start-up; call it from main before threads exist.
void arm_crash_points();

/// A named place before or after a durable step. The crash tests set LONGSHORE_CRASH_AT to have the process killed
/// (SIGKILL, no destructors, no flush) the N-th time it comes here; otherwise it costs one predictable branch.
void crash_point(const char* name);

}  // namespace longshore
