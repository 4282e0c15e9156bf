#pragma once

#include <string>

#include "model/export_spec.h"

namespace longshore {

/// What zlib reads from the first member, with its checks on; fails when bytes follow the member.
std::string gunzip(const std::string& file);

/// What zstd's streaming decoder reads until its first frame ends.
std::string unzstd(const std::string& file);

/// The content of a file; itself with no compression.
std::string uncompressed(const std::string& file, Compression compression);

}  // namespace longshore
