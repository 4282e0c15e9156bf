#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_buffer.h"
#include "model/export_spec.h"
#include "pdf/font_set.h"
#include "pdf/glyph_use.h"
#include "pdf/report_text.h"
#include "pdf/table_layout.h"

namespace longshore {

// What is the same on many pages is drawn by form XObjects (ISO 32000-1, 8.10), written once at the end of the file,
// when also the number of pages is known. In a page's resources they are called:
//   /T   the title block
//   /H0  the header row of the first page group, /H1 of the second, …
//   /Z0  the stripes behind the rows of a full page of the first group, if all have one line, /Z1 of the second, …
//   /P   the end of "Page 3 of 12", and the footer

/// The content of /T.
void draw_title(const ReportText& text, const FontSet& fonts, const TableLayout& layout, std::int64_t rows,
                GlyphUse& use, ByteBuffer& out);
/// The content of /H<group>, where it stands on all pages but the first ones.
void draw_header(const ExportSpec& spec, const FontSet& fonts, const TableLayout& layout, std::size_t group,
                 GlyphUse& use, ByteBuffer& out);
/// The content of /Z<group>.
void draw_stripes(const FontSet& fonts, const TableLayout& layout, std::size_t group, ByteBuffer& out);
/// The content of /P.
void draw_footer(const ReportText& text, const FontSet& fonts, const TableLayout& layout, std::int64_t pages,
                 GlyphUse& use, ByteBuffer& out);

/// What a page's content begins with: scale, title (`first`: of the pages with the first rows) and header row.
void begin_page(const TableLayout& layout, std::size_t group, bool first, ByteBuffer& out);
/// Has the form of a group drawn.
void draw_form(std::string_view name, std::size_t group, ByteBuffer& out);
/// What it ends with: its number, counted from 1, and the footer.
void end_page(const FontSet& fonts, const TableLayout& layout, std::int64_t number, ByteBuffer& out);
/// The content of the only page of a report without rows.
void draw_empty_report(const FontSet& fonts, const TableLayout& layout, GlyphUse& use, ByteBuffer& out);

}  // namespace longshore
