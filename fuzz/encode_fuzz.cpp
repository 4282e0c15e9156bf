// Any bytes as text, JSON and number cells: every format and compression takes them, and the same rows make the same
// bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "encode/csv/csv_format.h"
#include "encode/encoder.h"
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FormatTable formats = [] {
    FormatTable table;
    table.add(std::make_unique<CsvFormat>());
    table.add(std::make_unique<JsonlFormat>());
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
  for (const char* format : {"csv", "jsonl"}) {
    for (const CsvProfile profile : {CsvProfile::spreadsheet, CsvProfile::machine}) {
      for (const Compression compression : {Compression::none, Compression::gzip, Compression::zstd}) {
        spec.format = format;
        spec.csv.profile = profile;
        spec.compression = compression;
        if (encode(formats, spec, batch) != encode(formats, spec, batch)) std::abort();
      }
    }
  }
  return 0;
}
