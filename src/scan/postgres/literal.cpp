#include "scan/postgres/literal.h"

#include "base/utf8.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

/// PostgreSQL's name of the type; nullptr for those that take the column's.
const char* cast_of(const DataType& type) {
  switch (type.logical) {
    case LogicalType::boolean:
      return "bool";
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
      // One width for all: an int4 column compared with an int8 literal still uses its index (integer_ops).
      return "int8";
    case LogicalType::float32:
      // Compared as float8, 0.1 would differ from the float4 that is stored.
      return "float4";
    case LogicalType::float64:
      return "float8";
    case LogicalType::decimal:
      return "numeric";
    case LogicalType::uuid:
      return "uuid";
    case LogicalType::date:
      return "date";
    case LogicalType::time:
      return "time";
    case LogicalType::timestamp:
      return "timestamp";
    case LogicalType::timestamptz:
      return "timestamptz";
    case LogicalType::interval:
      return "interval";
    case LogicalType::bytea:
      return "bytea";
    case LogicalType::text:
    case LogicalType::json:
    case LogicalType::array:
      break;
  }
  return nullptr;
}

}  // namespace

Result<std::string> postgres_literal(const Value& value) {
  if (value.text.find('\0') != std::string::npos) {
    return fail(bad_filter_value("a value with a NUL byte cannot be compared with anything in PostgreSQL"));
  }
  if (!is_utf8(value.text)) return fail(bad_filter_value("a value to compare with is not valid UTF-8"));
  std::string literal = quote_text(value.text);
  if (const char* cast = cast_of(value.type)) literal += std::string("::pg_catalog.") + cast;
  return literal;
}

}  // namespace longshore
