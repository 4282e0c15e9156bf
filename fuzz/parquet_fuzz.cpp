// Batches of any values as Parquet, in every codec and profile: nothing crashes, the same rows make the same bytes, and
// a fresh encoder after any row group goes on as the one before would have.
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "batch/column_types.h"
#include "parquet/page_codec.h"
#include "parquet/parquet_format.h"

namespace {

using namespace longshore;  // NOLINT: a program of one file

/// Takes numbers and bytes off the input; zeros when it is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  bool empty() const { return size_ == 0; }
  std::uint8_t byte() {
    std::uint8_t value = 0;
    take(&value, 1);
    return value;
  }
  void take(void* to, std::size_t n) {
    std::memset(to, 0, n);
    const std::size_t there = std::min(n, size_);
    std::memcpy(to, data_, there);
    data_ += there;
    size_ -= there;
  }
  std::string text(std::size_t most) {
    std::string value(std::min<std::size_t>(byte() % (most + 1), size_), '\0');
    take(value.data(), value.size());
    return value;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

DataType any_type(Input& input) {
  const auto logical = [&] { return static_cast<LogicalType>(input.byte() % 16); };
  DataType type{.logical = logical()};
  if (input.byte() % 4 == 0) return {.logical = LogicalType::array, .element = type.logical};
  if (type.logical == LogicalType::decimal && input.byte() % 4 != 0) {
    type.precision = 1 + input.byte() % 38;
    type.scale = input.byte() % (type.precision + 1);
  }
  return type;
}

template <class Value>
void append_any(Input& input, ColumnVector& column) {
  Value value{};
  input.take(&value, sizeof value);
  column.append(value);
}

void append_cell(Input& input, ColumnVector& column) {
  const std::uint8_t choice = input.byte();
  if (choice % 8 == 0) return column.append_null();
  switch (column.physical()) {
    case PhysicalType::boolean:
      return column.append<std::uint8_t>(choice / 8 % 2);
    case PhysicalType::int32:
    case PhysicalType::float32:
      return append_any<std::int32_t>(input, column);
    case PhysicalType::int64:
    case PhysicalType::float64:
      return append_any<std::int64_t>(input, column);
    case PhysicalType::decimal128:
      return append_any<Int128>(input, column);
    case PhysicalType::fixed16:
      return append_any<std::array<char, 16>>(input, column);
    case PhysicalType::bytes:
      return column.append_text(input.text(choice % 8 == 1 ? 255 : 12));
  }
}

std::vector<RowBatch> make_batches(Input& input, const std::vector<DataType>& types) {
  std::vector<RowBatch> batches;
  while (!input.empty() && batches.size() < 8) {
    RowBatch& batch = batches.emplace_back(types);
    for (auto rows = input.byte(); rows > 0 && !input.empty(); --rows) {
      for (std::size_t i = 0; i < types.size(); ++i) append_cell(input, batch.column(i));
      batch.finish_row();
    }
  }
  return batches;
}

template <class T>
T value_of(Result<T> result) {
  if (!result) std::abort();
  return *std::move(result);
}

/// The whole file, and the summary of its only partition. The batches are repeated, so that there may be several pages
/// and row groups.
std::pair<std::string, ChunkSummary> encode(const ExportSpec& spec, const std::vector<RowBatch>& batches,
                                            int repetitions, bool fresh_encoders) {
  const ParquetFormat format;
  ByteBuffer body;
  std::vector<EncodedPartition> partitions(1);
  ChunkSummary& summary = partitions[0].summary;
  auto encoder = value_of(format.make_encoder(spec, {}));
  for (int i = 0; i < repetitions; ++i) {
    for (const RowBatch& batch : batches) {
      const auto chunk = value_of(encoder->encode(batch, body));
      if (!chunk) continue;
      summary.append(*chunk);
      if (fresh_encoders) encoder = value_of(format.make_encoder(spec, summary));
    }
  }
  if (const auto chunk = value_of(encoder->finish(body))) summary.append(*chunk);
  partitions[0].bytes = static_cast<std::int64_t>(body.size());
  if (summary.raw_bytes != partitions[0].bytes) std::abort();
  const auto frame = value_of(format.make_frame(spec));
  if (!frame->epilogue(partitions, {4}, body)) std::abort();
  return {std::string(body.view()), summary};
}

/// The input as texts, compressed the way that names the one before: zstd reads them back.
void check_texts(std::string_view bytes) {
  static auto codec = value_of(parquet::PageCodec::make(ParquetCodec::zstd));
  ByteBuffer page;
  while (!bytes.empty()) {
    const std::uint32_t length =
        std::min<std::uint32_t>(static_cast<std::uint8_t>(bytes[0]) % 40, static_cast<std::uint32_t>(bytes.size()));
    page.append(&length, sizeof length);
    page.append(bytes.substr(0, length));
    bytes.remove_prefix(std::max<std::uint32_t>(length, 1));
  }
  page.reserve_back(8);
  ByteBuffer compressed;
  if (!codec.compress_by_value(page.view(), 0, compressed)) std::abort();
  std::string again(page.size(), '\0');
  const std::size_t size = ZSTD_decompress(again.data(), again.size(), compressed.data(), compressed.size());
  if (size != page.size() || again != page.view()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_texts({reinterpret_cast<const char*>(data), size});
  Input input(data, size);
  ExportSpec spec;
  spec.format = "parquet";
  const int repetitions = input.byte() % 32 == 1 ? 100 : 1;
  spec.parquet.codec = static_cast<ParquetCodec>(input.byte() % 3);
  spec.parquet.profile = static_cast<ParquetProfile>(input.byte() % 2);
  for (auto columns = 1 + input.byte() % 5; columns > 0; --columns) {
    Column column;
    column.name = column.source = "c" + std::to_string(columns);
    column.type = any_type(input);
    spec.columns.push_back(std::move(column));
  }
  spec.dataset.key = {spec.columns[0].source};
  const std::string name = spec.columns[0].name;
  spec.parquet.bloom_filters = {name};
  if (!ParquetFormat().make_frame(spec)) spec.parquet.bloom_filters.clear();

  const std::vector<RowBatch> batches = make_batches(input, column_types(spec));
  const auto [file, summary] = encode(spec, batches, repetitions, false);
  const auto [again, summary_again] = encode(spec, batches, repetitions, true);
  if (file != again || !(summary == summary_again)) std::abort();
  return 0;
}
