#include "pdf/pdf_format.h"

#include <utility>

#include "pdf/pdf_encoder.h"
#include "pdf/pdf_frame.h"
#include "pdf/report_column.h"
#include "pdf/report_progress.h"
#include "pdf/report_text.h"

namespace longshore {
namespace {

Status check_columns(const ExportSpec& spec) {
  if (!spec.columns.empty()) return {};
  return fail(user_error("no_columns", "a PDF report needs at least one column"));
}

}  // namespace

PdfFormat::PdfFormat(PdfLimits limits, std::shared_ptr<const FontSet> fonts)
    : limits_(limits), fonts_(std::move(fonts)) {
  traits_.name = "pdf";
  traits_.extension = "pdf";
  traits_.content_type = "application/pdf";
  traits_.parallel = false;
  traits_.compressible = false;
  traits_.size_factor = 0.5;  // measured: 0.42 for audit rows of 9 columns, 0.57 for 5 of them, 0.73 for 4 short ones
  traits_.max_rows = limits.max_rows;
  traits_.encoder_memory = std::int64_t{6} << 20;  // measured 5 MB: shaping, a page in hand, the subset fonts
}

Result<std::unique_ptr<PartitionEncoder>> PdfFormat::make_encoder(const ExportSpec& spec,
                                                                  const ChunkSummary& before) const {
  CHECK_OK(check_columns(spec));
  TRY(ReportText text, make_report_text(spec));
  TRY(std::vector<ReportColumn> columns, make_report_columns(spec));
  TRY(ReportProgress progress, read_progress(before.detail, spec.columns.size(), *fonts_));
  return std::make_unique<PdfEncoder>(spec, std::move(text), std::move(columns), std::move(progress), limits_, fonts_);
}

Result<std::unique_ptr<FileFrame>> PdfFormat::make_frame(const ExportSpec& spec) const {
  CHECK_OK(check_columns(spec));
  TRY(ReportText text, make_report_text(spec));
  return std::make_unique<PdfFrame>(spec, std::move(text), fonts_);
}

}  // namespace longshore
