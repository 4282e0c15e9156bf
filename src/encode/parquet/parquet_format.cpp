#include "parquet/parquet_format.h"

#include "parquet/parquet_frame.h"
#include "parquet/row_group_encoder.h"

namespace longshore {
namespace {

/// What an encoder takes at worst, when nothing can be compressed: a row group held back, the batch that filled it,
/// page buffers that grow ahead of need, a page before and after compression, zstd's tables; and a row group more in
/// the output that parts are cut from. Two partitions at once are to fit the default `worker.memory_limit`; with noise
/// they were measured to (benchmarks/memory).
constexpr std::int64_t kEncoderMemory = std::int64_t{17} << 20;

}  // namespace

ParquetFormat::ParquetFormat() {
  traits_.name = "parquet";
  traits_.extension = "parquet";
  traits_.content_type = "application/vnd.apache.parquet";
  traits_.compressible = false;  // pages are compressed inside
  traits_.encoder_memory = kEncoderMemory;
  traits_.size_factor = 0.15;
}

Result<std::unique_ptr<PartitionEncoder>> ParquetFormat::make_encoder(const ExportSpec& spec,
                                                                      const ChunkSummary&) const {
  return parquet::RowGroupEncoder::make(spec);
}

Result<std::unique_ptr<FileFrame>> ParquetFormat::make_frame(const ExportSpec& spec) const {
  return parquet::make_parquet_frame(spec);
}

}  // namespace longshore
