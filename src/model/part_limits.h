#pragma once

#include <cstdint>

namespace longshore {

// S3's limits on multipart uploads (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). Exports are planned by
// them and every store enforces them, so that what works on a directory works on S3.
inline constexpr std::int64_t kMinPartBytes = std::int64_t{5} << 20;  ///< of every part but the last
inline constexpr int kMaxPartNumber = 10'000;

}  // namespace longshore
