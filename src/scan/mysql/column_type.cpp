#include "scan/mysql/column_type.h"

#include <algorithm>
#include <array>
#include <utility>

#include "scan/scan_errors.h"
#include "scan/sql_text.h"

namespace longshore {

namespace {

constexpr std::array<std::pair<const char*, MysqlKind>, 42> kKinds{{
    {"tinyint", MysqlKind::integer},
    {"smallint", MysqlKind::integer},
    {"mediumint", MysqlKind::integer},
    {"int", MysqlKind::integer},
    {"bigint", MysqlKind::integer},
    {"decimal", MysqlKind::decimal},
    {"float", MysqlKind::float32},
    {"double", MysqlKind::float64},
    {"bit", MysqlKind::bit},
    {"year", MysqlKind::year},
    {"char", MysqlKind::text},
    {"varchar", MysqlKind::text},
    {"tinytext", MysqlKind::text},
    {"text", MysqlKind::text},
    {"mediumtext", MysqlKind::text},
    {"longtext", MysqlKind::text},
    {"binary", MysqlKind::binary},
    {"varbinary", MysqlKind::binary},
    {"tinyblob", MysqlKind::binary},
    {"blob", MysqlKind::binary},
    {"mediumblob", MysqlKind::binary},
    {"longblob", MysqlKind::binary},
    {"enum", MysqlKind::enumeration},
    {"set", MysqlKind::set},
    {"json", MysqlKind::json},
    {"date", MysqlKind::date},
    {"datetime", MysqlKind::datetime},
    {"timestamp", MysqlKind::timestamp},
    {"time", MysqlKind::time},
    {"uuid", MysqlKind::uuid},
    {"inet4", MysqlKind::address},
    {"inet6", MysqlKind::address},
    {"geometry", MysqlKind::geometry},
    {"point", MysqlKind::geometry},
    {"linestring", MysqlKind::geometry},
    {"polygon", MysqlKind::geometry},
    {"multipoint", MysqlKind::geometry},
    {"multilinestring", MysqlKind::geometry},
    {"multipolygon", MysqlKind::geometry},
    {"geometrycollection", MysqlKind::geometry},
    {"geomcollection", MysqlKind::geometry},
    {"numeric", MysqlKind::decimal},
}};

DataType integer_type(const MysqlColumn& column) {
  switch (column.bytes) {
    case 1:
      // The display width is all that is left of a column that was declared BOOLEAN.
      if (column.spelled.starts_with("tinyint(1)")) return {.logical = LogicalType::boolean};
      return {.logical = LogicalType::int16};
    case 2:
      return {.logical = column.is_unsigned ? LogicalType::int32 : LogicalType::int16};
    case 3:
      return {.logical = LogicalType::int32};
    case 4:
      return {.logical = column.is_unsigned ? LogicalType::int64 : LogicalType::int32};
    default:
      if (column.is_unsigned) return {.logical = LogicalType::decimal, .precision = 20, .scale = 0};
      return {.logical = LogicalType::int64};
  }
}

bool can_be_read_as(const MysqlColumn& column, const DataType& declared) {
  if (declared.logical == LogicalType::text) return true;
  const auto is = [&](std::initializer_list<MysqlKind> kinds) {
    return std::ranges::find(kinds, column.kind) != kinds.end();
  };
  switch (declared.logical) {
    case LogicalType::boolean:
      return is({MysqlKind::integer}) || (is({MysqlKind::bit}) && column.precision == 1);
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
      return is({MysqlKind::integer, MysqlKind::year, MysqlKind::bit});
    case LogicalType::decimal:
      return is({MysqlKind::integer, MysqlKind::decimal, MysqlKind::bit});
    case LogicalType::float32:
      return is({MysqlKind::float32});
    case LogicalType::float64:
      return is({MysqlKind::float32, MysqlKind::float64});
    case LogicalType::uuid:
      return is({MysqlKind::uuid, MysqlKind::text}) || (is({MysqlKind::binary}) && column.bytes == 16);
    case LogicalType::date:
      return is({MysqlKind::date});
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return is({MysqlKind::datetime, MysqlKind::timestamp});
    case LogicalType::time:
    case LogicalType::interval:
      return is({MysqlKind::time});
    case LogicalType::json:
      return is({MysqlKind::json});
    case LogicalType::bytea:
      return is({MysqlKind::binary});
    case LogicalType::array:
    case LogicalType::text:
      break;
  }
  return false;
}

std::string expression_of(const MysqlColumn& column) {
  std::string name = "r." + quote_identifier(column.name);
  switch (column.kind) {
    case MysqlKind::float32:
      // As a float, the server writes six digits, which are another number. As a double it writes all that are needed.
      return "(" + name + " + 0e0)";
    case MysqlKind::bit:
      return "(" + name + " + 0)";
    case MysqlKind::geometry:
      return "ST_AsText(" + name + ")";
    default:
      return name;
  }
}

}  // namespace

MysqlKind kind_of(const std::string& data_type) {
  const auto* const found = std::ranges::find_if(kKinds, [&](const auto& entry) { return data_type == entry.first; });
  return found == kKinds.end() ? MysqlKind::other : found->second;
}

DataType exported_type(const MysqlColumn& column) {
  switch (column.kind) {
    case MysqlKind::integer:
      return integer_type(column);
    case MysqlKind::decimal:
      // decimal(65) is more than a number of 128 bits holds: exported exactly, as text.
      if (column.precision > 38) return {.logical = LogicalType::decimal};
      return {.logical = LogicalType::decimal, .precision = column.precision, .scale = column.scale};
    case MysqlKind::float32:
      return {.logical = LogicalType::float32};
    case MysqlKind::float64:
      return {.logical = LogicalType::float64};
    case MysqlKind::bit:
      if (column.precision == 1) return {.logical = LogicalType::boolean};
      if (column.precision < 64) return {.logical = LogicalType::int64};
      return {.logical = LogicalType::decimal, .precision = 20, .scale = 0};
    case MysqlKind::year:
      return {.logical = LogicalType::int16};
    case MysqlKind::binary:
      return {.logical = LogicalType::bytea};
    case MysqlKind::json:
      return {.logical = LogicalType::json};
    case MysqlKind::date:
      return {.logical = LogicalType::date};
    case MysqlKind::datetime:
      return {.logical = LogicalType::timestamp};
    case MysqlKind::timestamp:
      return {.logical = LogicalType::timestamptz};
    case MysqlKind::time:
      return {.logical = LogicalType::time};
    case MysqlKind::uuid:
      return {.logical = LogicalType::uuid};
    case MysqlKind::text:
    case MysqlKind::enumeration:
    case MysqlKind::set:
    case MysqlKind::address:
    case MysqlKind::geometry:
    case MysqlKind::other:
      break;
  }
  return {};
}

Result<MysqlWireColumn> wire_column(const MysqlColumn& column, const DataType& declared) {
  if (!can_be_read_as(column, declared)) {
    return fail(source_schema_changed("column \"" + column.name + "\" is " + column.spelled +
                                      " in the database, which cannot be exported as " + to_string(declared) +
                                      "; run `longshore catalog check`"));
  }
  return MysqlWireColumn{
      .name = column.name, .expression = expression_of(column), .kind = column.kind, .type = declared};
}

MysqlWireColumn key_wire_column(const MysqlColumn& column, const DataType& declared) {
  MysqlWireColumn wire{.name = column.name, .expression = expression_of(column), .kind = column.kind, .type = declared};
  // Rows are ordered by the number behind an enum's or set's text, so the number is the key.
  if (column.kind == MysqlKind::enumeration || column.kind == MysqlKind::set) {
    wire.expression = "(r." + quote_identifier(column.name) + " + 0)";
  }
  return wire;
}

}  // namespace longshore
