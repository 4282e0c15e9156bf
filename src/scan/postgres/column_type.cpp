#include "scan/postgres/column_type.h"

#include "scan/scan_errors.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

// Object identifiers of built-in types never change: src/include/catalog/pg_type.dat of PostgreSQL.
enum : PostgresOid {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kInet = 869,
  kBpchar = 1042,
  kVarchar = 1043,
  kDate = 1082,
  kTime = 1083,
  kTimestamp = 1114,
  kTimestamptz = 1184,
  kInterval = 1186,
  kNumeric = 1700,
  kUuid = 2950,
  kJsonb = 3802,
};

LogicalType logical_of(PostgresOid type) {
  switch (type) {
    case kBool:
      return LogicalType::boolean;
    case kInt2:
      return LogicalType::int16;
    case kInt4:
      return LogicalType::int32;
    case kInt8:
      return LogicalType::int64;
    case kFloat4:
      return LogicalType::float32;
    case kFloat8:
      return LogicalType::float64;
    case kNumeric:
      return LogicalType::decimal;
    case kUuid:
      return LogicalType::uuid;
    case kDate:
      return LogicalType::date;
    case kTime:
      return LogicalType::time;
    case kTimestamp:
      return LogicalType::timestamp;
    case kTimestamptz:
      return LogicalType::timestamptz;
    case kInterval:
      return LogicalType::interval;
    case kJson:
    case kJsonb:
      return LogicalType::json;
    case kBytea:
      return LogicalType::bytea;
    default:
      return LogicalType::text;
  }
}

bool is_integer(LogicalType type) {
  return type == LogicalType::int16 || type == LogicalType::int32 || type == LogicalType::int64;
}

/// Whether a column that is exported as `actual` by itself can be read as `declared`.
bool can_be_read_as(const DataType& actual, const DataType& declared) {
  if (declared.logical == LogicalType::text || actual.logical == declared.logical) return true;
  if (is_integer(declared.logical)) return is_integer(actual.logical);
  if (declared.logical == LogicalType::decimal) return is_integer(actual.logical);
  return declared.logical == LogicalType::float64 && actual.logical == LogicalType::float32;
}

WireKind kind_of(PostgresOid type) {
  switch (type) {
    case kBool:
      return WireKind::boolean;
    case kInt2:
      return WireKind::int2;
    case kInt4:
      return WireKind::int4;
    case kInt8:
      return WireKind::int8;
    case kFloat4:
      return WireKind::float4;
    case kFloat8:
      return WireKind::float8;
    case kNumeric:
      return WireKind::numeric;
    case kUuid:
      return WireKind::uuid;
    case kDate:
      return WireKind::date;
    case kTime:
      return WireKind::time;
    case kTimestamp:
    case kTimestamptz:
      return WireKind::timestamp;
    case kBytea:
      return WireKind::bytea;
    case kJsonb:
      return WireKind::jsonb;
    default:
      return WireKind::text;
  }
}

const char* cast_of(PostgresOid type) {
  switch (type) {
    case kBool:
      return "bool";
    case kInt2:
      return "int2";
    case kInt4:
      return "int4";
    case kInt8:
      return "int8";
    case kFloat4:
      return "float4";
    case kFloat8:
      return "float8";
    case kNumeric:
      return "numeric";
    case kUuid:
      return "uuid";
    case kDate:
      return "date";
    case kTime:
      return "time";
    case kTimestamp:
      return "timestamp";
    case kTimestamptz:
      return "timestamptz";
    case kBytea:
      return "bytea";
    case kJson:
      return "json";
    case kJsonb:
      return "jsonb";
    case kBpchar:
      // Without a length, which would be 1 by the name `char`; a cast to text would cut the padding off.
      return "bpchar";
    default:
      return "text";
  }
}

WireColumn array_column(const PostgresColumn& column, const std::string& name) {
  WireColumn wire{.name = column.name, .expression = {}, .kind = WireKind::text, .type = {}};
  wire.expression = "pg_catalog.to_json(" + name + ")::pg_catalog.text";
  if (column.element == kBytea) wire.kind = WireKind::bytea_array;
  // to_json writes +00:00, the session's zone; RFC 3339's Z is what a lone timestamptz is exported with. Such an array
  // holds timestamps only, so nothing else can be hit.
  if (column.element == kTimestamptz) {
    wire.expression = "pg_catalog.replace(" + wire.expression + ", '+00:00\"', 'Z\"')";
  }
  return wire;
}

}  // namespace

DataType exported_type(const PostgresColumn& column) {
  if (column.element != 0) return {.logical = LogicalType::array, .element = logical_of(column.element)};
  DataType type{.logical = logical_of(column.type)};
  if (column.type == kNumeric && column.modifier >= 4) {
    // numeric's modifier: precision in the upper half, an 11-bit signed scale in the lower.
    const int precision = (column.modifier - 4) >> 16;
    const int scale = (((column.modifier - 4) & 0x7FF) ^ 1024) - 1024;
    // A negative scale or one beyond the precision has no fixed point to align on: exported exactly, as text.
    if (scale >= 0 && scale <= precision) {
      type.precision = precision;
      type.scale = scale;
    }
  }
  return type;
}

Result<WireColumn> wire_column(const PostgresColumn& column, const DataType& declared) {
  const DataType actual = exported_type(column);
  if (!can_be_read_as(actual, declared)) {
    return fail(source_schema_changed("column \"" + column.name + "\" is " + column.spelled +
                                      " in the database, which cannot be exported as " + to_string(declared) +
                                      "; run `longshore catalog check`"));
  }
  const std::string name = quote_identifier(column.name);
  WireColumn wire{.name = column.name, .expression = {}, .kind = WireKind::text, .type = declared};
  if (declared.logical == LogicalType::array) {
    wire = array_column(column, name);
  } else if (declared.logical == LogicalType::decimal && is_integer(actual.logical)) {
    wire.kind = WireKind::numeric;
    wire.expression = name + "::pg_catalog.numeric";
  } else if (column.type == kInet) {
    // inet's cast to text adds /32 to a host; abbrev() writes an inet as PostgreSQL's output does.
    wire.expression = "pg_catalog.abbrev(" + name + "::pg_catalog.inet)";
  } else if (declared.logical == LogicalType::text && column.type != kBpchar) {
    wire.expression = name + "::pg_catalog.text";
  } else {
    wire.kind = kind_of(column.type);
    wire.expression = name + "::pg_catalog." + cast_of(column.type);
  }
  wire.type = declared;
  return wire;
}

// Measured with PostgreSQL 15 on loopback: a table of 1,000,000 rows for each type, `COPY (SELECT c, c, c, c FROM t) TO
// STDOUT` less the same with no column at all, divided by four; the best of three; psql reading. Decoding comes on top:
// about 3 ns for anything fixed in binary, 5 to 25 ns for the same from text.
//
//   ns a value     binary  text        ns a value    binary  text
//   bool               33    23        uuid              50   162
//   int2               36    35        date              34    64
//   int4               40    40        time              39    55
//   int8               39    61        timestamp(tz)     38   100 to 132
//   float4             42    63        bytea, 16 B       69    89
//   float8             37    82        jsonb            262   249
//   numeric(12,2)     107    98        text, 10 B        44    44
//                                      text, 60 B        61   110
int wire_cost(WireKind kind, CopyFormat format) {
  const bool binary = format == CopyFormat::binary;
  switch (kind) {
    case WireKind::boolean:
      return binary ? 36 : 26;
    case WireKind::int2:
      return binary ? 39 : 40;
    case WireKind::int4:
      return binary ? 43 : 46;
    case WireKind::int8:
      return binary ? 42 : 70;
    case WireKind::float4:
      return binary ? 45 : 85;
    case WireKind::float8:
      return binary ? 40 : 105;
    case WireKind::numeric:
      return binary ? 118 : 115;
    case WireKind::uuid:
      return binary ? 53 : 185;
    case WireKind::date:
      return binary ? 37 : 75;
    case WireKind::time:
      return binary ? 42 : 70;
    case WireKind::timestamp:
      return binary ? 41 : 140;
    case WireKind::bytea:
      return binary ? 72 : 110;
    case WireKind::jsonb:
      return binary ? 265 : 260;
    case WireKind::text:
    case WireKind::bytea_array:
      break;
  }
  return binary ? 50 : 70;
}

}  // namespace longshore
