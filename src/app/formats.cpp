#include "app/formats.h"

#include <memory>

#include "encode/csv/csv_format.h"
#include "encode/json/jsonl_format.h"

namespace longshore {

FormatTable make_format_table() {
  FormatTable formats;
  formats.add(std::make_unique<CsvFormat>());
  formats.add(std::make_unique<JsonlFormat>());
  return formats;
}

std::vector<FormatChoice> format_choices(const FormatTable& formats) {
  std::vector<FormatChoice> choices;
  for (const Format* format : formats.all()) {
    choices.push_back({format->traits().name, format->traits().compressible});
  }
  return choices;
}

}  // namespace longshore
