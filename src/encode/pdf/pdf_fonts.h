#pragma once

#include <string>

#include "base/result.h"
#include "pdf/font_set.h"
#include "pdf/glyph_use.h"
#include "pdf/pdf_objects.h"

namespace longshore {

/// Writes the fonts of a file, each with the glyphs that are used and no others, and returns the /Font dictionary of
/// its resources:
///   /F0  the regular font by bytes of WinAnsiEncoding (a TrueType font, ISO 32000-1, 9.6.3)
///   /F1  the regular font, /F2 the bold one, /F3 … the fallbacks, by glyphs (Type 0 with Identity-H, 9.7)
/// /F0 and /F1 share one font file. All say what their codes mean in Unicode. Errors: `font_subset` (internal).
Result<std::string> write_fonts(const FontSet& fonts, const GlyphUse& use, ObjectWriter& out);

}  // namespace longshore
