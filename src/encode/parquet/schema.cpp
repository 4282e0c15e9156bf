#include "parquet/schema.h"

#include <algorithm>
#include <bit>

#include "batch/column_vector.h"

namespace longshore::parquet {
namespace {

/// The fewest bytes whose two's complement holds every number of `precision` digits.
int decimal_length(int precision) {
  Int128 largest = 1;
  for (int digit = 0; digit < precision; ++digit) largest *= 10;
  --largest;
  int length = 1;
  while (length < 16 && (largest >> (8 * length - 1)) != 0) ++length;
  return length;
}

Leaf decimal_leaf(const DataType& type) {
  // Unbounded numbers have no fixed point: their exact digits.
  if (physical_type(type) != PhysicalType::decimal128) return {type, Type::byte_array, Meaning::string};
  if (type.precision <= 9) return {type, Type::int32, Meaning::decimal};
  if (type.precision <= 18) return {type, Type::int64, Meaning::decimal};
  return {type, Type::fixed, Meaning::decimal, decimal_length(type.precision)};
}

Leaf scalar_leaf(const DataType& type) {
  switch (type.logical) {
    case LogicalType::boolean:
      return {type, Type::boolean, Meaning::plain};
    case LogicalType::int16:
      return {type, Type::int32, Meaning::int16};
    case LogicalType::int32:
      return {type, Type::int32, Meaning::plain};
    case LogicalType::int64:
      return {type, Type::int64, Meaning::plain};
    case LogicalType::float32:
      return {type, Type::float32, Meaning::plain};
    case LogicalType::float64:
      return {type, Type::float64, Meaning::plain};
    case LogicalType::decimal:
      return decimal_leaf(type);
    case LogicalType::uuid:
      return {type, Type::fixed, Meaning::uuid, 16};
    case LogicalType::date:
      return {type, Type::int32, Meaning::date};
    case LogicalType::time:
      return {type, Type::int64, Meaning::time};
    case LogicalType::timestamp:
      return {type, Type::int64, Meaning::timestamp};
    case LogicalType::timestamptz:
      return {type, Type::int64, Meaning::timestamptz};
    case LogicalType::json:
      return {type, Type::byte_array, Meaning::json};
    case LogicalType::bytea:
      return {type, Type::byte_array, Meaning::plain};
    case LogicalType::text:
    case LogicalType::interval:
    case LogicalType::array:
      break;
  }
  return {type, Type::byte_array, Meaning::string};
}

}  // namespace

Leaf leaf_of(const DataType& type) {
  return scalar_leaf(type.logical == LogicalType::array ? DataType{.logical = type.element} : type);
}

Result<std::vector<ParquetColumn>> parquet_columns(const ExportSpec& spec) {
  std::vector<ParquetColumn> columns;
  columns.reserve(spec.columns.size());
  for (const Column& column : spec.columns) {
    columns.push_back({column.name, leaf_of(column.type), column.type.logical == LogicalType::array, false});
  }
  for (const std::string& name : spec.parquet.bloom_filters) {
    const auto found = std::ranges::find(columns, name, &ParquetColumn::name);
    if (found == columns.end()) {
      return fail(user_error("bad_parquet_option",
                             "parquet.bloomFilters names '" + name + "', which is not among the exported columns"));
    }
    if (!may_have_bloom_filter(spec.columns[static_cast<std::size_t>(found - columns.begin())].type)) {
      return fail(user_error("bad_parquet_option",
                             "parquet.bloomFilters names '" + name +
                                 "'; columns of bool, floating-point and array types have no bloom filter"));
    }
    found->bloom_filter = true;
  }
  return columns;
}

}  // namespace longshore::parquet
