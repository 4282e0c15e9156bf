#include "app/formats.h"

#include <memory>

#include "encode/csv/csv_format.h"
#include "encode/json/json_format.h"
#include "encode/json/jsonl_format.h"
#include "parquet/parquet_format.h"
#include "pdf/pdf_format.h"
#include "xlsx/xlsx_format.h"

namespace longshore {

FormatTable make_format_table(const FormatLimits& limits) {
  FormatTable formats;
  formats.add(std::make_unique<CsvFormat>());
  formats.add(std::make_unique<JsonlFormat>());
  formats.add(std::make_unique<JsonFormat>());
  formats.add(std::make_unique<ParquetFormat>());
  formats.add(std::make_unique<XlsxFormat>(XlsxLimits{.max_sheets = limits.xlsx_max_sheets}));
  formats.add(std::make_unique<PdfFormat>(PdfLimits{.max_rows = limits.pdf_max_rows}));
  return formats;
}

}  // namespace longshore
