#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "encode/encoder.h"

namespace longshore {

class FontSet;

/// What an installation allows of formats that could go on for ever; `limits` of the configuration.
struct FormatLimits {
  int xlsx_max_sheets = 10;
  std::int64_t pdf_max_rows = 200'000;
};

/// What PDF reports are set in where the fonts that are compiled in lack a character; `pdf` of the configuration.
struct PdfFontChoice {
  bool installed = true;           ///< what FontSet::installed_fallbacks() finds, unless `paths` names any
  std::vector<std::string> paths;  ///< font files; the first that has a character shows it
};

/// The fonts of reports. Errors: `bad_font` (user) for a file that is missing or cannot be embedded.
Result<std::shared_ptr<const FontSet>> load_pdf_fonts(const PdfFontChoice& choice);

/// The formats of this build: the one list of them. `fonts`: of load_pdf_fonts(); without, those compiled in.
FormatTable make_format_table(const FormatLimits& limits = {}, std::shared_ptr<const FontSet> fonts = nullptr);

}  // namespace longshore
