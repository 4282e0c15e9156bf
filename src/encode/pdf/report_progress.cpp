#include "pdf/report_progress.h"

#include <cstdint>
#include <utility>

#include "base/utf8.h"
#include "pdf/detail_codec.h"

namespace longshore {
namespace {

void write_glyphs(const GlyphUse::Delta& glyphs, DetailWriter& out) {
  out.number(glyphs.bytes.size());
  for (const std::uint8_t byte : glyphs.bytes) out.number(byte);
  out.number(glyphs.glyphs.size());
  for (const GlyphUse::Glyph& glyph : glyphs.glyphs) {
    out.number(glyph.font);
    out.number(glyph.glyph);
    out.text(glyph.text);
  }
}

bool read_glyphs(DetailReader& in, const FontSet& fonts, GlyphUse& use) {
  for (std::uint64_t count = in.count(); count > 0; --count) use.mark_byte(static_cast<std::uint8_t>(in.number(0xFF)));
  for (std::uint64_t count = in.count(); count > 0; --count) {
    const auto font = static_cast<FontId>(in.number(fonts.size() - 1));
    const auto glyph = static_cast<std::uint16_t>(in.number(0xFFFF));
    const std::string text(in.text());
    if (!is_utf8(text)) return false;
    use.mark(font, glyph, text);
  }
  use.take_new();
  return !in.failed();
}

Error damaged(const std::string& what) {
  return internal_error("bad_pdf_detail", "the stored state of a PDF cannot be read: " + what);
}

}  // namespace

std::string to_detail(const ChunkRecord& record) {
  DetailWriter out;
  out.number(record.layout ? 1 : 0);
  if (record.layout) {
    out.text(record.fonts);
    write_layout(*record.layout, out);
  }
  const std::size_t sets = record.streams.ends_pages.size();
  out.number(sets);
  for (const bool ends : record.streams.ends_pages) out.number(ends ? 1 : 0);
  for (const std::uint32_t length : record.streams.lengths) out.number(length);
  write_glyphs(record.glyphs, out);
  out.number(static_cast<std::uint64_t>(record.position.rows));
  out.number(static_cast<std::uint64_t>(record.position.rounds));
  out.number(record.position.open ? 1 : 0);
  out.number(static_cast<std::uint64_t>(record.position.y));
  out.number(static_cast<std::uint64_t>(record.position.page_rows));
  return out.take();
}

Result<ReportProgress> read_progress(std::string_view detail, std::size_t columns, const FontSet& fonts) {
  ReportProgress progress;
  DetailReader in(detail);
  while (!in.at_end() && !in.failed()) {
    if (in.number(1) == 1) {
      if (in.text() != fonts.fingerprint()) {
        return fail(external_error("pdf_fonts_differ",
                                   "this export was begun by a worker with other fallback fonts for PDF; give all "
                                   "workers the same fonts, or start the export again"));
      }
      TRY(progress.layout, read_layout(in, columns));
    }
    if (!progress.layout) return fail(damaged("there is no layout"));
    const std::size_t groups = progress.layout->groups.size();
    const std::uint64_t sets = in.count();
    for (std::uint64_t i = 0; i < sets; ++i) progress.streams.ends_pages.push_back(in.number(1) == 1);
    for (std::uint64_t i = 0; i < sets * groups && !in.failed(); ++i) {
      progress.streams.lengths.push_back(static_cast<std::uint32_t>(in.number(UINT32_MAX)));
    }
    if (!read_glyphs(in, fonts, progress.use)) return fail(damaged("its glyphs"));
    RowPosition& position = progress.position;
    position.rows = static_cast<std::int64_t>(in.number(INT64_MAX));
    position.rounds = static_cast<std::int64_t>(in.number(INT64_MAX));
    position.open = in.number(1) == 1;
    position.y = static_cast<int>(in.number(0xFFFF));
    position.page_rows = static_cast<std::int64_t>(in.number(INT64_MAX));
  }
  if (in.failed()) return fail(damaged("it ends too early"));
  return progress;
}

}  // namespace longshore
