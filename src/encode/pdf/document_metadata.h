#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace longshore {

/// What a PDF's properties say. All texts are well-formed UTF-8 without control characters.
struct DocumentMetadata {
  std::string title;
  std::string subject;
  Timestamp created;
};

/// The document information dictionary (ISO 32000-1, 14.3.3).
std::string information_dictionary(const DocumentMetadata& metadata);
/// The same as XMP (ISO 16684-1), and that the file is PDF/A-2b (ISO 19005-2, 6.6.4).
std::string xmp_packet(const DocumentMetadata& metadata);

}  // namespace longshore
