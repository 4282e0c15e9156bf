#include "parquet/row_group_encoder.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

namespace longshore::parquet {
namespace {

/// The longest bounds for pages and for the column. Their sum over a row group is bounded, because it is stored with
/// every checkpoint: about 8 KB if all columns are long texts, whatever their number.
std::size_t page_bound_bytes(std::size_t columns) {
  return std::clamp<std::size_t>(576 / std::max<std::size_t>(columns, 1), 8, kLongestBound);
}

std::size_t chunk_bound_bytes(std::size_t columns) {
  return std::clamp<std::size_t>(4096 / std::max<std::size_t>(columns, 1), 12, kLongestBound);
}

}  // namespace

RowGroupEncoder::RowGroupEncoder(const ExportSpec& spec, std::vector<ParquetColumn> columns, PageCodec codec)
    : columns_(std::move(columns)),
      codec_(std::move(codec)),
      sorting_columns_(parquet::sorting_columns(spec)),
      key_order_(spec, sorting_columns_),
      fidelity_(columns_.size()) {
  context_.values.profile = spec.parquet.profile;
  context_.values.codec = &codec_;
  context_.values.page_bound_bytes = page_bound_bytes(columns_.size());
  context_.values.chunk_bound_bytes = chunk_bound_bytes(columns_.size());
  context_.values.dictionary_budget = kDictionaryBytes;
  context_.page_bytes = std::clamp<std::size_t>(kOpenPageBytes / std::max<std::size_t>(columns_.size(), 1),
                                                std::size_t{64} << 10, kPageBytes);
  for (const ParquetColumn& column : columns_) writers_.push_back(std::make_unique<ColumnWriter>(column, context_));
}

Result<std::unique_ptr<PartitionEncoder>> RowGroupEncoder::make(const ExportSpec& spec) {
  TRY(std::vector<ParquetColumn> columns, parquet_columns(spec));
  TRY(PageCodec codec, PageCodec::make(spec.parquet.codec));
  return std::unique_ptr<PartitionEncoder>(new RowGroupEncoder(spec, std::move(columns), std::move(codec)));
}

Status RowGroupEncoder::check_shape(const RowBatch& batch) const {
  if (batch.column_count() != columns_.size()) {
    return fail(internal_error("batch_shape", "the batch has " + std::to_string(batch.column_count()) +
                                                  " columns, the export " + std::to_string(columns_.size())));
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const ColumnVector& column = batch.column(i);
    const bool right_type = columns_[i].list ? column.type().logical == LogicalType::array &&
                                                   leaf_of(column.type()).type == columns_[i].leaf.type
                                             : column.type() == columns_[i].leaf.type;
    if (right_type && column.size() == batch.row_count()) continue;
    return fail(internal_error("batch_shape", "column '" + columns_[i].name + "' came as " + to_string(column.type()) +
                                                  " with " + std::to_string(column.size()) + " values, expected " +
                                                  std::to_string(batch.row_count()) + " of the export's type"));
  }
  return {};
}

std::size_t RowGroupEncoder::held_bytes() const {
  std::size_t held = context_.pages.size();
  for (const auto& writer : writers_) held += writer->held_bytes();
  return held;
}

bool RowGroupEncoder::is_full(std::int64_t batch_rows) const {
  return rows_ + batch_rows > kRowGroupRows || bytes_ >= kRowGroupBytes || held_bytes() >= kHeldBytes;
}

/// How often the rows so far will fit into the row group.
double RowGroupEncoder::expected_growth() const {
  const double by_rows = static_cast<double>(kRowGroupRows) / static_cast<double>(std::max<std::int64_t>(rows_, 1));
  const double by_bytes = static_cast<double>(kRowGroupBytes) / static_cast<double>(std::max<std::int64_t>(bytes_, 1));
  return std::max(1.0, std::min(by_rows, by_bytes));
}

Result<std::optional<ChunkSummary>> RowGroupEncoder::encode(const RowBatch& batch, ByteBuffer& out) {
  CHECK_OK(check_shape(batch));
  if (batch.row_count() == 0) return std::nullopt;
  rows_ += static_cast<std::int64_t>(batch.row_count());
  bytes_ += static_cast<std::int64_t>(batch.byte_size());
  context_.values.growth = expected_growth();
  key_order_.add(batch);
  for (std::size_t i = 0; i < columns_.size(); ++i) CHECK_OK(writers_[i]->append(batch.column(i), fidelity_[i]));
  if (!is_full(static_cast<std::int64_t>(batch.row_count()))) return std::nullopt;
  return close(out);
}

Result<std::optional<ChunkSummary>> RowGroupEncoder::finish(ByteBuffer& out) {
  if (rows_ == 0) return std::nullopt;
  return close(out);
}

Result<ChunkSummary> RowGroupEncoder::close(ByteBuffer& out) {
  const std::size_t begin = out.size();
  RowGroupRecord record;
  record.rows = rows_;
  // A value that did not fit became null, which sorts elsewhere.
  record.sorted = !sorting_columns_.empty() && key_order_.ascending() &&
                  std::ranges::all_of(sorting_columns_,
                                      [&](int column) { return fidelity_[static_cast<std::size_t>(column)].clean(); });
  for (const auto& writer : writers_) {
    TRY(ColumnRecord column, writer->finish(out));
    record.columns.push_back(std::move(column));
  }
  for (std::size_t i = 0; i < writers_.size(); ++i) writers_[i]->finish_bloom_filter(record.columns[i], out);

  ChunkSummary summary;
  summary.rows = rows_;
  summary.raw_bytes = static_cast<std::int64_t>(out.size() - begin);
  if (!std::ranges::all_of(fidelity_, &ColumnFidelity::clean)) {
    summary.fidelity = std::exchange(fidelity_, std::vector<ColumnFidelity>(columns_.size()));
  }
  append_record(record, summary.detail);

  context_.pages.clear();
  context_.values.dictionary_budget = kDictionaryBytes;
  key_order_.reset();
  rows_ = 0;
  bytes_ = 0;
  return summary;
}

}  // namespace longshore::parquet
