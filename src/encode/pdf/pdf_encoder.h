#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "encode/encoder.h"
#include "pdf/cell_painter.h"
#include "pdf/font_set.h"
#include "pdf/glyph_use.h"
#include "pdf/page_content.h"
#include "pdf/pdf_format.h"
#include "pdf/report_column.h"
#include "pdf/report_progress.h"
#include "pdf/report_text.h"
#include "pdf/stream_compressor.h"

namespace longshore {

/// Places rows on pages and writes each full page's content as a compressed stream object, numbered from 1. Everything
/// else of the file comes at its end (PdfFrame).
///
/// A chunk is closed at the first batch border with 1 MiB or more of output (PdfLimits). The page that is then open is
/// written as far as it got, as a stream of its own; its next rows make another stream of the same page. So no page is
/// short, and a chunk's detail need not carry the content of a page. Where a chunk ends depends on the rows alone.
class PdfEncoder final : public PartitionEncoder {
 public:
  PdfEncoder(const ExportSpec& spec, ReportText text, std::vector<ReportColumn> columns, ReportProgress progress,
             const PdfLimits& limits, std::shared_ptr<const FontSet> fonts);

  /// Errors: `too_many_rows` (user), `batch_shape` (internal).
  Result<std::optional<ChunkSummary>> encode(const RowBatch& batch, ByteBuffer& out) override;
  Result<std::optional<ChunkSummary>> finish(ByteBuffer& out) override;

 private:
  /// A value that a row's cell changed on its way.
  struct Change {
    std::size_t column;
    CellChanges changes;
  };

  /// The background of a row.
  struct Stripe {
    int y;
    int height;
  };

  void set_layout(TableLayout layout);
  void place_row(std::size_t row, ByteBuffer& out);
  std::size_t paint_row(std::size_t row);
  std::size_t paint_cells(std::size_t group, std::size_t row, int baseline);
  void open_pages();
  void write_streams(bool ends_pages, ByteBuffer& out);
  void count_changes();
  ChunkSummary close_chunk(ByteBuffer& out);

  ExportSpec spec_;
  ReportText text_;
  std::shared_ptr<const FontSet> fonts_;
  PdfLimits limits_;
  std::vector<ReportColumn> columns_;

  // Set with the layout.
  std::optional<TableLayout> layout_;
  std::optional<CellPainter> painter_;
  std::vector<PageContent> pages_;              ///< by group
  std::vector<std::vector<CellPlace>> places_;  ///< by group and slot; the baseline is set for each row
  std::vector<PageContent::Mark> marks_;        ///< by group: before the row in hand
  int one_line_ = 0;                            ///< height of a row of one line
  int null_width_ = 0;                          ///< of what stands for NULL

  // Where writing stands.
  GlyphUse use_;
  RowPosition position_;
  std::int64_t streams_ = 0;         ///< content streams written
  std::vector<Stripe> stripes_;      ///< of the rows since the last stream
  bool continued_ = false;           ///< the open pages were begun by an earlier stream
  std::vector<Change> row_changes_;  ///< of the row in hand, which may be painted twice

  // Of the open chunk.
  ChunkRecord record_;
  std::int64_t chunk_rows_ = 0;
  std::int64_t chunk_bytes_ = 0;
  std::uint32_t chunk_crc_ = 0;

  StreamCompressor compressor_;
  ByteBuffer content_;
};

}  // namespace longshore
