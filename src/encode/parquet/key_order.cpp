#include "parquet/key_order.h"

#include <algorithm>
#include <compare>
#include <cstring>
#include <utility>

#include "batch/column_types.h"

namespace longshore::parquet {
namespace {

bool has_parquet_order(LogicalType type) {
  switch (type) {
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
    case LogicalType::uuid:
    case LogicalType::date:
    case LogicalType::time:
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return true;
    default:
      return false;
  }
}

template <class Value>
std::strong_ordering compare_values(const ColumnVector& a, std::size_t row_a, const ColumnVector& b,
                                    std::size_t row_b) {
  return a.values<Value>()[row_a] <=> b.values<Value>()[row_b];
}

std::strong_ordering compare_uuids(const char* a, const char* b) {
  const int order = std::memcmp(a, b, 16);
  if (order == 0) return std::strong_ordering::equal;
  return order < 0 ? std::strong_ordering::less : std::strong_ordering::greater;
}

std::strong_ordering compare_cells(const ColumnVector& a, std::size_t row_a, const ColumnVector& b, std::size_t row_b) {
  switch (a.physical()) {
    case PhysicalType::int32:
      return compare_values<std::int32_t>(a, row_a, b, row_b);
    case PhysicalType::int64:
      return compare_values<std::int64_t>(a, row_a, b, row_b);
    default:
      return compare_uuids(a.bytes() + 16 * row_a, b.bytes() + 16 * row_b);
  }
}

void copy_cell(const ColumnVector& from, std::size_t row, ColumnVector& to) {
  switch (from.physical()) {
    case PhysicalType::int32:
      return to.append(from.values<std::int32_t>()[row]);
    case PhysicalType::int64:
      return to.append(from.values<std::int64_t>()[row]);
    default: {
      std::array<char, 16> bytes{};
      std::memcpy(bytes.data(), from.bytes() + 16 * row, bytes.size());
      return to.append(bytes);
    }
  }
}

std::vector<DataType> types_of(const ExportSpec& spec, const std::vector<int>& columns) {
  std::vector<DataType> types;
  types.reserve(columns.size());
  for (const int column : columns) types.push_back(spec.columns[static_cast<std::size_t>(column)].type);
  return types;
}

}  // namespace

std::vector<int> sorting_columns(const ExportSpec& spec) {
  std::vector<int> columns;
  for (const std::string& key : spec.dataset.key) {
    if (key == spec.dataset.tenant_column) continue;
    const auto found = std::ranges::find(spec.columns, key, &Column::source);
    if (found == spec.columns.end() || !has_parquet_order(found->type.logical)) break;
    columns.push_back(static_cast<int>(found - spec.columns.begin()));
  }
  return columns;
}

KeyOrder::KeyOrder(const ExportSpec& spec, std::vector<int> columns)
    : columns_(std::move(columns)), last_row_(types_of(spec, columns_)) {}

bool KeyOrder::follows_row(const RowBatch& batch, std::size_t row) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const ColumnVector& column = batch.column(static_cast<std::size_t>(columns_[i]));
    const auto order =
        row > 0 ? compare_cells(column, row - 1, column, row) : compare_cells(last_row_.column(i), 0, column, row);
    if (order != std::strong_ordering::equal) return order == std::strong_ordering::less;
  }
  return true;
}

void KeyOrder::add(const RowBatch& batch) {
  if (columns_.empty() || !ascending_ || batch.row_count() == 0) return;
  for (const int column : columns_) {
    if (batch.column(static_cast<std::size_t>(column)).has_nulls()) ascending_ = false;
  }
  for (std::size_t row = last_row_.row_count() == 0 ? 1 : 0; row < batch.row_count() && ascending_; ++row) {
    ascending_ = follows_row(batch, row);
  }
  last_row_.clear();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    copy_cell(batch.column(static_cast<std::size_t>(columns_[i])), batch.row_count() - 1, last_row_.column(i));
  }
  last_row_.finish_row();
}

void KeyOrder::reset() {
  last_row_.clear();
  ascending_ = true;
}

}  // namespace longshore::parquet
