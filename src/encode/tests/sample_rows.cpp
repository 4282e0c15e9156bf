#include "sample_rows.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "encode/csv/csv_format.h"
#include "encode/json/json_format.h"
#include "encode/json/jsonl_format.h"

namespace longshore {
namespace {

void append_cell(ColumnVector& column, const Cell& cell) {
  if (std::holds_alternative<std::monostate>(cell)) {
    column.append_null();
    return;
  }
  switch (column.physical()) {
    case PhysicalType::boolean:
      column.append<std::uint8_t>(std::get<bool>(cell) ? 1 : 0);
      return;
    case PhysicalType::int32:
      column.append(static_cast<std::int32_t>(std::get<std::int64_t>(cell)));
      return;
    case PhysicalType::int64:
      column.append(std::get<std::int64_t>(cell));
      return;
    case PhysicalType::float32:
      column.append(static_cast<float>(std::get<double>(cell)));
      return;
    case PhysicalType::float64:
      column.append(std::get<double>(cell));
      return;
    case PhysicalType::decimal128:
      column.append(std::get<Int128>(cell));
      return;
    case PhysicalType::fixed16: {
      std::array<char, 16> bytes{};
      std::get<std::string>(cell).copy(bytes.data(), bytes.size());
      column.append(bytes);
      return;
    }
    case PhysicalType::bytes:
      column.append_text(std::get<std::string>(cell));
      return;
  }
}

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().code + ": " + result.error().message);
  return *std::move(result);
}

void check(const Status& status) {
  if (!status) throw std::runtime_error(status.error().code + ": " + status.error().message);
}

}  // namespace

FormatTable make_formats() {
  FormatTable formats;
  formats.add(std::make_unique<CsvFormat>());
  formats.add(std::make_unique<JsonlFormat>());
  formats.add(std::make_unique<JsonFormat>());
  return formats;
}

ExportSpec make_spec(const std::string& format, const std::vector<std::string>& columns) {
  ExportSpec spec;
  spec.format = format;
  for (const std::string& text : columns) {
    const std::size_t colon = text.rfind(':');
    Column column;
    column.name = text.substr(0, colon);
    const auto type = parse_data_type(text.substr(colon + 1));
    if (!type) throw std::runtime_error("no such type: " + text);
    column.type = *type;
    spec.columns.push_back(std::move(column));
  }
  return spec;
}

ExportSpec bare_csv(const std::vector<std::string>& columns, CsvProfile profile) {
  ExportSpec spec = make_spec("csv", columns);
  spec.csv.header = false;
  spec.csv.crlf = false;
  spec.csv.profile = profile;
  return spec;
}

RowBatch make_batch(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t first, std::size_t last) {
  std::vector<DataType> types;
  for (const Column& column : spec.columns) types.push_back(column.type);
  RowBatch batch(types);
  for (std::size_t row = first; row < last; ++row) {
    for (std::size_t i = 0; i < types.size(); ++i) append_cell(batch.column(i), rows[row].at(i));
    batch.finish_row();
  }
  return batch;
}

RowBatch make_batch(const ExportSpec& spec, const std::vector<Row>& rows) {
  return make_batch(spec, rows, 0, rows.size());
}

EncodedFile join_partitions(const FileFrame& frame, const std::vector<EncodedPartition>& encoded,
                            const std::vector<ByteBuffer>& bodies) {
  ByteBuffer file;
  EncodedFile result;
  std::vector<std::int64_t> offsets;
  check(frame.prologue(encoded, file));
  for (std::size_t p = 0; p < encoded.size(); ++p) {
    if (p > 0) check(frame.glue(encoded, p, file));
    offsets.push_back(static_cast<std::int64_t>(file.size()));
    file.append(bodies[p].view());
    result.total.append(encoded[p].summary);
  }
  check(frame.epilogue(encoded, offsets, file));
  result.bytes = file.view();
  return result;
}

EncodedFile encode_partitions(const FormatTable& formats, const ExportSpec& spec, const std::vector<Row>& rows,
                              const std::vector<std::size_t>& borders, std::size_t batch_rows, bool fresh_encoders) {
  std::vector<EncodedPartition> encoded;
  std::vector<ByteBuffer> bodies;
  for (std::size_t p = 0; p + 1 < borders.size(); ++p) {
    const std::size_t end = borders[p + 1];
    ByteBuffer& body = bodies.emplace_back();
    ChunkSummary& summary = encoded.emplace_back().summary;
    auto encoder = value_or_throw(formats.make_encoder(spec, {}));
    for (std::size_t row = borders[p]; row < end; row += batch_rows) {
      const RowBatch batch = make_batch(spec, rows, row, std::min(end, row + batch_rows));
      const auto chunk = value_or_throw(encoder->encode(batch, body));
      if (!chunk) continue;
      summary.append(*chunk);
      if (fresh_encoders) encoder = value_or_throw(formats.make_encoder(spec, summary));
    }
    const auto rest = value_or_throw(encoder->finish(body));
    if (rest) summary.append(*rest);
    encoded.back().bytes = static_cast<std::int64_t>(body.size());
  }

  return join_partitions(*value_or_throw(formats.make_frame(spec)), encoded, bodies);
}

EncodedFile encode_file(const FormatTable& formats, const ExportSpec& spec, const std::vector<Row>& rows,
                        std::size_t partitions, std::size_t batch_rows, bool fresh_encoders) {
  std::vector<std::size_t> borders;
  for (std::size_t p = 0; p <= partitions && partitions > 0; ++p) borders.push_back(rows.size() * p / partitions);
  return encode_partitions(formats, spec, rows, borders, batch_rows, fresh_encoders);
}

EncodedFile encode_file(const ExportSpec& spec, const std::vector<Row>& rows, std::size_t partitions,
                        std::size_t batch_rows, bool fresh_encoders) {
  return encode_file(make_formats(), spec, rows, partitions, batch_rows, fresh_encoders);
}

std::string encode_rows(const ExportSpec& spec, const std::vector<Row>& rows, ChunkSummary* summary) {
  const FormatTable formats = make_formats();
  const auto encoder = value_or_throw(formats.make_encoder(spec, {}));
  ByteBuffer out;
  const auto chunk = value_or_throw(encoder->encode(make_batch(spec, rows), out));
  if (summary != nullptr) *summary = chunk.value_or(ChunkSummary{});
  return std::string(out.view());
}

Int128 int128(std::string_view digits) {
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  Int128 value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  return negative ? -value : value;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = testing::TempDir() + "/encode-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed for " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(const std::string& name, std::string_view bytes) const {
  const std::string path = path_ + "/" + name;
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
  return path;
}

CommandResult run_command(const std::string& command) {
  CommandResult result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return result;
  char buffer[4096];
  while (const std::size_t n = fread(buffer, 1, sizeof buffer, pipe)) result.output.append(buffer, n);
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

bool has_command(const std::string& name) {
  return run_command("command -v " + name).status == 0;
}

}  // namespace longshore
