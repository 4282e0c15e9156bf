#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pdf/font_set.h"
#include "pdf/glyph_use.h"
#include "pdf/table_layout.h"

namespace longshore {

/// Where the next row goes.
struct RowPosition {
  std::int64_t rows = 0;       ///< placed so far
  std::int64_t rounds = 0;     ///< pages begun in each page group; the groups' pages are begun together
  bool open = false;           ///< the last of them take further rows
  int y = 0;                   ///< their next row's upper edge
  std::int64_t page_rows = 0;  ///< rows on them
};

/// The content streams of a file, in the order in which they stand there. They are written in sets: one for each page
/// group, either the whole rest of the groups' open pages or, at the end of a chunk, what they hold so far.
struct ContentStreams {
  std::vector<bool> ends_pages;        ///< by set
  std::vector<std::uint32_t> lengths;  ///< of the objects in bytes, all sets after another

  void append(const ContentStreams& next) {
    ends_pages.insert(ends_pages.end(), next.ends_pages.begin(), next.ends_pages.end());
    lengths.insert(lengths.end(), next.lengths.begin(), next.lengths.end());
  }
};

/// What a chunk adds to what is known of a file; one record in ChunkSummary::detail.
struct ChunkRecord {
  std::optional<TableLayout> layout;  ///< in the first
  std::string fonts;                  ///< fingerprint of the set; with the layout
  ContentStreams streams;
  GlyphUse::Delta glyphs;
  RowPosition position;  ///< at its end
};

std::string to_detail(const ChunkRecord& record);

/// What joined chunks say of a file: enough to write on and to finish it.
struct ReportProgress {
  std::optional<TableLayout> layout;  ///< nullopt: no rows yet
  ContentStreams streams;
  GlyphUse use;
  RowPosition position;
};

/// Reads the joined detail of a partition with `columns` columns. Errors: `pdf_fonts_differ` (external, retriable) when
/// the earlier chunks were made with another set of fonts; `bad_pdf_detail` (internal).
Result<ReportProgress> read_progress(std::string_view detail, std::size_t columns, const FontSet& fonts);

}  // namespace longshore
