#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace longshore {

/// What a value means, apart from how it is stored (see batch/). The names are those of the catalog's `type:`.
enum class LogicalType : std::uint8_t {
  boolean,      ///< `bool`
  int16,        ///< `int16`
  int32,        ///< `int32`
  int64,        ///< `int64`
  float32,      ///< `float32`
  float64,      ///< `float64`
  decimal,      ///< `numeric` or `numeric(p,s)`
  text,         ///< `text`; also char, varchar, enum, and whatever has no type of its own (inet, cidr, macaddr)
  uuid,         ///< `uuid`
  date,         ///< `date`
  time,         ///< `time` without zone
  timestamp,    ///< `timestamp` without zone
  timestamptz,  ///< `timestamptz`
  interval,     ///< `interval`, kept as ISO 8601 text
  json,         ///< `json` and jsonb, kept as JSON text
  bytea,        ///< `bytea`
  array,        ///< `type[]`, kept as JSON text
};

/// A column's type. Shapes: `precision`/`scale` only with decimal (precision 0: unbounded), `element` only with array.
struct DataType {
  LogicalType logical = LogicalType::text;
  int precision = 0;
  int scale = 0;
  LogicalType element = LogicalType::text;

  friend bool operator==(const DataType&, const DataType&) = default;
};

/// The catalog's spelling: `int64`, `numeric(12,2)`, `text[]`.
std::string to_string(const DataType& type);
/// nullopt when `text` is no type's name.
std::optional<DataType> parse_data_type(std::string_view text);

}  // namespace longshore
