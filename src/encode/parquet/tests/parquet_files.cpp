#include "parquet_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "parquet/parquet_format.h"

namespace longshore {
namespace {

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().code + ": " + result.error().message);
  return *std::move(result);
}

}  // namespace

FormatTable parquet_formats() {
  FormatTable formats;
  formats.add(std::make_unique<ParquetFormat>());
  return formats;
}

ExportSpec parquet_spec(const std::vector<std::string>& columns, ParquetCodec codec, ParquetProfile profile) {
  ExportSpec spec = make_spec("parquet", columns);
  for (Column& column : spec.columns) column.source = column.name;
  spec.parquet.codec = codec;
  spec.parquet.profile = profile;
  return spec;
}

EncodedFile parquet_file(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t partitions,
                         std::size_t batch_rows, bool fresh_encoders) {
  return encode_file(parquet_formats(), spec, rows, partitions, batch_rows, fresh_encoders);
}

EncodedRows encode_partition(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t batch_rows) {
  const auto encoder = value_or_throw(parquet_formats().make_encoder(spec, {}));
  EncodedRows encoded;
  ByteBuffer out;
  for (std::size_t row = 0; row < rows.size(); row += batch_rows) {
    const RowBatch batch = make_batch(spec, rows, row, std::min(rows.size(), row + batch_rows));
    if (auto chunk = value_or_throw(encoder->encode(batch, out))) encoded.chunks.push_back(*std::move(chunk));
  }
  if (auto chunk = value_or_throw(encoder->finish(out))) encoded.chunks.push_back(*std::move(chunk));
  encoded.bytes = out.view();
  return encoded;
}

std::string file_with_gaps(const ExportSpec& spec, const std::vector<EncodedRows>& partitions, std::size_t gap) {
  const auto frame = value_or_throw(parquet_formats().make_frame(spec));
  std::vector<EncodedPartition> encoded;
  for (const EncodedRows& partition : partitions) {
    EncodedPartition& next = encoded.emplace_back();
    for (const ChunkSummary& chunk : partition.chunks) next.summary.append(chunk);
    next.bytes = static_cast<std::int64_t>(partition.bytes.size());
  }
  ByteBuffer file;
  std::vector<std::int64_t> offsets;
  if (!frame->prologue(encoded, file)) throw std::runtime_error("prologue");
  for (const EncodedRows& partition : partitions) {
    file.append(std::string(gap, '\xAA'));
    offsets.push_back(static_cast<std::int64_t>(file.size()));
    file.append(partition.bytes);
  }
  ByteBuffer end;  // its own buffer, as at assembly
  if (!frame->epilogue(encoded, offsets, end)) throw std::runtime_error("epilogue");
  file.append(end.view());
  return std::string(file.view());
}

CommandResult run_reader(const std::string& script, const std::string& arguments) {
  const std::string modules = LONGSHORE_READERS;
  if (!has_command("node") || !std::filesystem::exists(modules + "/hyparquet")) {
    return {-1, "Node.js or the readers are missing; install them with scripts/install.sh test && scripts/readers.sh"};
  }
  return run_command("LONGSHORE_READERS=" + modules + " node " LONGSHORE_PARQUET_TESTS "/" + script + " " + arguments);
}

}  // namespace longshore
