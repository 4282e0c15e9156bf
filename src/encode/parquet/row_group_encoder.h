#pragma once

#include <memory>
#include <vector>

#include "encode/encoder.h"
#include "parquet/column_writer.h"
#include "parquet/key_order.h"
#include "parquet/page_codec.h"
#include "parquet/schema.h"

namespace longshore::parquet {

/// A row group is closed before it would have more rows than this (what DuckDB reads with one thread) …
inline constexpr std::int64_t kRowGroupRows = 122'880;
/// … when its values, as the batches count them, come to this …
inline constexpr std::int64_t kRowGroupBytes = std::int64_t{31} << 20;
/// … or when this much of it is in memory: finished pages, open pages and dictionaries.
inline constexpr std::size_t kHeldBytes = std::size_t{6} << 20;
/// What all open pages of an encoder may take together, and all dictionaries.
inline constexpr std::size_t kOpenPageBytes = std::size_t{3} << 20;
inline constexpr std::size_t kDictionaryBytes = std::size_t{4} << 20;

/// The rows of one partition as row groups; a chunk is a row group. Where one ends follows from its rows alone, so an
/// encoder that begins after any of them makes the same bytes.
class RowGroupEncoder final : public PartitionEncoder {
 public:
  static Result<std::unique_ptr<PartitionEncoder>> make(const ExportSpec& spec);

  /// Errors: `batch_shape`, `parquet_codec_failed` (internal), `value_too_large` (user).
  Result<std::optional<ChunkSummary>> encode(const RowBatch& batch, ByteBuffer& out) override;
  Result<std::optional<ChunkSummary>> finish(ByteBuffer& out) override;

 private:
  RowGroupEncoder(const ExportSpec& spec, std::vector<ParquetColumn> columns, PageCodec codec);

  Status check_shape(const RowBatch& batch) const;
  bool is_full(std::int64_t batch_rows) const;
  std::size_t held_bytes() const;
  double expected_growth() const;
  Result<ChunkSummary> close(ByteBuffer& out);

  std::vector<ParquetColumn> columns_;
  PageCodec codec_;
  ColumnContext context_;
  std::vector<std::unique_ptr<ColumnWriter>> writers_;
  std::vector<int> sorting_columns_;
  KeyOrder key_order_;
  std::vector<ColumnFidelity> fidelity_;
  std::int64_t rows_ = 0;   ///< of the open row group
  std::int64_t bytes_ = 0;  ///< of its batches
};

}  // namespace longshore::parquet
