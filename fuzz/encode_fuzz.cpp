// Any bytes as text, JSON and number cells: every format and compression takes them, the same rows make the same bytes,
// and what is to be JSON is JSON and UTF-8.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "encode/csv/csv_format.h"
#include "encode/encoder.h"
#include "encode/json/json_format.h"
#include "encode/json/json_text.h"
#include "encode/json/jsonl_format.h"

namespace {

using namespace longshore;  // NOLINT: a program of one file

std::string encode(const FormatTable& formats, const ExportSpec& spec, const RowBatch& batch) {
  ByteBuffer out;
  const auto encoder = formats.make_encoder(spec, {});
  if (!encoder) std::abort();
  const auto closed = (*encoder)->encode(batch, out);
  if (!closed || !*closed || (*closed)->rows != static_cast<std::int64_t>(batch.row_count())) std::abort();
  return std::string(out.view());
}

void expect_json(const FormatTable& formats, ExportSpec spec, const RowBatch& batch) {
  spec.compression = Compression::none;
  spec.format = "jsonl";
  const std::string lines = encode(formats, spec, batch);
  std::string array = "[";
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin);
    if (end == std::string::npos || !check_json(lines.substr(begin, end - begin)).valid) std::abort();
    array += (begin == 0 ? "\n" : ",\n") + lines.substr(begin, end - begin);
    begin = end + 1;
  }
  spec.format = "json";
  if (array != "[" + encode(formats, spec, batch) || !check_json(array + "\n]\n").valid || !is_utf8(array))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FormatTable formats = [] {
    FormatTable table;
    table.add(std::make_unique<CsvFormat>());
    table.add(std::make_unique<JsonlFormat>());
    table.add(std::make_unique<JsonFormat>());
    return table;
  }();
  if (size == 0) return 0;
  ExportSpec spec;
  for (const LogicalType type :
       {LogicalType::text, LogicalType::json, LogicalType::bytea, LogicalType::decimal, LogicalType::array}) {
    spec.columns.push_back({"c", "c", {type}, "", "", false});
  }
  std::vector<DataType> types;
  for (const Column& column : spec.columns) types.push_back(column.type);
  RowBatch batch(types);
  // Cells are the runs between bytes equal to the first; a run of length 1 is NULL.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t column = 0;
  for (std::size_t begin = 1; begin < text.size();) {
    const std::size_t end = std::min(text.find(text[0], begin), text.size());
    const std::string_view cell = text.substr(begin, end - begin);
    if (cell.size() == 1) {
      batch.column(column).append_null();
    } else {
      batch.column(column).append_text(cell);
    }
    if (++column == types.size()) {
      batch.finish_row();
      column = 0;
    }
    begin = end + 1;
  }
  while (column != 0 && column < types.size()) batch.column(column++).append_null();
  if (column != 0) batch.finish_row();
  if (batch.row_count() == 0) return 0;
  expect_json(formats, spec, batch);
  // One of each a run, as the input says: all of them would take ten times as long.
  spec.csv.profile = size % 2 == 0 ? CsvProfile::spreadsheet : CsvProfile::machine;
  constexpr Compression kCompressions[] = {Compression::none, Compression::gzip, Compression::zstd};
  spec.compression = kCompressions[data[0] % 3];
  for (const char* format : {"csv", "jsonl", "json"}) {
    spec.format = format;
    if (encode(formats, spec, batch) != encode(formats, spec, batch)) std::abort();
  }
  return 0;
}
