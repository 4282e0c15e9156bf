// Any bytes as cells, column names, title and filters of a report, and any bytes as its stored state: nothing crashes,
// and a fresh encoder after every closed chunk makes the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "pdf/pdf_format.h"

namespace {

using namespace longshore;  // NOLINT: a program of one file

struct Encoded {
  std::string rows;
  EncodedPartition partition;
};

Encoded encode(const PdfFormat& format, const ExportSpec& spec, const std::vector<const RowBatch*>& batches,
               bool fresh) {
  ByteBuffer out;
  EncodedPartition partition;
  auto encoder = format.make_encoder(spec, {});
  if (!encoder) std::abort();
  const auto take = [&](const Result<std::optional<ChunkSummary>>& chunk) {
    if (!chunk) std::abort();
    if (*chunk) partition.summary.append(**chunk);
    return chunk->has_value();
  };
  for (const RowBatch* batch : batches) {
    if (take((*encoder)->encode(*batch, out)) && fresh) encoder = format.make_encoder(spec, partition.summary);
    if (!encoder) std::abort();
  }
  take((*encoder)->finish(out));
  partition.bytes = static_cast<std::int64_t>(out.size());
  return {std::string(out.view()), partition};
}

void finish(const PdfFormat& format, const ExportSpec& spec, const Encoded& encoded) {
  const auto frame = format.make_frame(spec);
  ByteBuffer file;
  if (!frame || !(*frame)->prologue({encoded.partition}, file)) std::abort();
  const auto begin = static_cast<std::int64_t>(file.size());
  if (!(*frame)->epilogue({encoded.partition}, {begin}, file)) std::abort();
}

void read_damaged_state(const PdfFormat& format, const ExportSpec& spec, std::string detail, std::string_view noise) {
  for (std::size_t i = 0; i + 1 < noise.size() && !detail.empty(); i += 2) {
    detail[static_cast<unsigned char>(noise[i]) % detail.size()] = noise[i + 1];
  }
  for (const std::string& state : {detail, std::string(noise)}) {
    ChunkSummary summary;
    summary.detail = state;
    const auto encoder = format.make_encoder(spec, summary);
    ByteBuffer out;
    (void)(*format.make_frame(spec))->epilogue({{summary, 100}}, {15}, out);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const PdfFormat format({.max_rows = 0, .chunk_bytes = 0});
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ExportSpec spec;
  const std::string name(text.substr(1, data[1] % 24));
  for (const LogicalType type :
       {LogicalType::text, LogicalType::json, LogicalType::bytea, LogicalType::decimal, LogicalType::array}) {
    spec.columns.push_back({name, "c", {type}, "", "", false});
  }
  spec.title = name;
  spec.dataset.name = name;
  spec.dataset.description = std::string(text.substr(0, 40));
  spec.filters.push_back({"c", FilterOp::in, {{{LogicalType::text}, std::string(text)}}});
  spec.pdf.orientation = static_cast<PdfOrientation>(data[0] % 3);
  std::vector<DataType> types;
  for (const Column& column : spec.columns) types.push_back(column.type);
  RowBatch batch(types);
  // Cells are the runs between bytes equal to the first; a run of length 1 is NULL.
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
  std::vector<const RowBatch*> batches;
  if (batch.row_count() > 0) batches.assign(2, &batch);
  const Encoded whole = encode(format, spec, batches, false);
  const Encoded resumed = encode(format, spec, batches, true);
  if (whole.rows != resumed.rows || whole.partition.summary != resumed.partition.summary) std::abort();
  // Making the fonts takes most of the time, and depends on little of the input.
  if (data[1] % 16 == 0) finish(format, spec, whole);
  read_damaged_state(format, spec, whole.partition.summary.detail, text.substr(0, 32));
  return 0;
}
