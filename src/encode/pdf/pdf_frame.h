#pragma once

#include <memory>
#include <string>
#include <utility>

#include "encode/encoder.h"
#include "pdf/font_set.h"
#include "pdf/report_text.h"

namespace longshore {

struct ReportProgress;
struct TableLayout;

/// The beginning and the end of a PDF. The encoder's page contents are objects 1 to n; behind them come, all small: the
/// form XObjects, fonts, pages, page tree, metadata, and the cross-reference stream.
class PdfFrame final : public FileFrame {
 public:
  PdfFrame(ExportSpec spec, ReportText text, std::shared_ptr<const FontSet> fonts)
      : spec_(std::move(spec)), text_(std::move(text)), fonts_(std::move(fonts)) {}

  Status prologue(const std::vector<EncodedPartition>& partitions, ByteBuffer& out) const override;
  /// Errors: `pdf_partitions` (internal): a PDF is one partition.
  Status glue(const std::vector<EncodedPartition>& partitions, std::size_t index, ByteBuffer& out) const override;
  /// Errors: those of read_progress() and write_fonts(); `pdf_partitions` (internal).
  Status epilogue(const std::vector<EncodedPartition>& partitions, const std::vector<std::int64_t>& offsets,
                  ByteBuffer& out) const override;

 private:
  Result<TableLayout> empty_layout() const;

  ExportSpec spec_;
  ReportText text_;
  std::shared_ptr<const FontSet> fonts_;
};

}  // namespace longshore
