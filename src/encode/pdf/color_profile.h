#pragma once

#include <string>

namespace longshore {

/// An ICC profile (version 4, ISO 15076-1) of the sRGB colour space, made from the numbers of IEC 61966-2-1: what a
/// PDF/A file names as its colours' meaning.
std::string make_srgb_profile();

}  // namespace longshore
