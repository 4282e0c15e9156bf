#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/export_spec.h"

namespace longshore::parquet {

/// Physical types, with their numbers in Parquet's metadata (apache/parquet-format, Encodings.md and README.md).
enum class Type : std::uint8_t {
  boolean = 0,
  int32 = 1,
  int64 = 2,
  float32 = 4,
  float64 = 5,
  byte_array = 6,
  fixed = 7,
};

/// What a physical value means: one of Parquet's logical types with its parameters (LogicalTypes.md).
enum class Meaning : std::uint8_t { plain, string, json, uuid, date, time, timestamp, timestamptz, decimal, int16 };

/// One leaf: what its values are in a batch, and how Parquet stores them.
struct Leaf {
  DataType type;  ///< of the values; of the elements in an array column
  Type stored = Type::byte_array;
  Meaning meaning = Meaning::plain;
  int fixed_length = 0;  ///< bytes a value; only with Type::fixed
};

/// One exported column. Every column may hold nulls. An array column is a three-level list of its leaf.
struct ParquetColumn {
  std::string name;
  Leaf leaf;
  bool list = false;
  bool bloom_filter = false;
};

/// How the values of `type` are stored; of an array, its elements.
Leaf leaf_of(const DataType& type);

/// The columns of an export, in file order. Errors: `bad_parquet_option` (user) when a bloom filter is asked for a
/// column that is not exported, or whose type has none (bool, floats, arrays).
Result<std::vector<ParquetColumn>> parquet_columns(const ExportSpec& spec);

}  // namespace longshore::parquet
