#include "app/formats.h"

#include <memory>
#include <utility>

#include "encode/csv/csv_format.h"
#include "encode/json/json_format.h"
#include "encode/json/jsonl_format.h"
#include "parquet/parquet_format.h"
#include "pdf/pdf_format.h"
#include "xlsx/xlsx_format.h"

namespace longshore {

Result<std::shared_ptr<const FontSet>> load_pdf_fonts(const PdfFontChoice& choice) {
  const auto paths = choice.paths.empty() && choice.installed ? FontSet::installed_fallbacks() : choice.paths;
  auto fonts = FontSet::with_fallbacks(paths);
  if (!fonts) return fail(user_error(fonts.error().code, "pdf.fallback_fonts: " + fonts.error().message));
  return fonts;
}

FormatTable make_format_table(const FormatLimits& limits, std::shared_ptr<const FontSet> fonts) {
  FormatTable formats;
  formats.add(std::make_unique<CsvFormat>());
  formats.add(std::make_unique<JsonlFormat>());
  formats.add(std::make_unique<JsonFormat>());
  formats.add(std::make_unique<ParquetFormat>());
  formats.add(std::make_unique<XlsxFormat>(XlsxLimits{.max_sheets = limits.xlsx_max_sheets}));
  formats.add(std::make_unique<PdfFormat>(PdfLimits{.max_rows = limits.pdf_max_rows},
                                          fonts == nullptr ? FontSet::built_in() : std::move(fonts)));
  return formats;
}

}  // namespace longshore
