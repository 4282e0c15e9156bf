#include "app/formats.h"

#include <memory>

#include "encode/csv/csv_format.h"
#include "encode/json/json_format.h"
#include "encode/json/jsonl_format.h"

namespace longshore {

FormatTable make_format_table([[maybe_unused]] const FormatLimits& limits) {
  FormatTable formats;
  formats.add(std::make_unique<CsvFormat>());
  formats.add(std::make_unique<JsonlFormat>());
  formats.add(std::make_unique<JsonFormat>());
  return formats;
}

}  // namespace longshore
