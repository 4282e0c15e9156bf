#pragma once

namespace longshore {

/// The version of this build, from the project's CMakeLists.txt.
inline constexpr const char* kVersion = LONGSHORE_VERSION;

}  // namespace longshore
