#include "encode/json/json_cells.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "encode/json/json_text.h"
#include "encode/text/plain_cells.h"

namespace longshore {
namespace {

inline char* write_null(char* out) {
  return write_word(out, "null");
}

/// `text`, or a repaired copy if it is not UTF-8.
std::string_view as_utf8(CellColumn& column, std::string_view text) {
  if (is_utf8(text)) return text;
  column.repaired.resize(3 * text.size());
  column.repaired.resize(static_cast<std::size_t>(copy_as_utf8(text, column.repaired.data()) - column.repaired.data()));
  ++column.fidelity.replaced;
  return column.repaired;
}

char* write_string(CellColumn& column, std::string_view text, char* out) {
  *out++ = '"';
  out = copy_json_escaped(as_utf8(column, text), out);
  *out++ = '"';
  return out;
}

[[gnu::noinline]] char* write_careful_text(CellColumn& column, std::string_view text, char* out) {
  return write_string(column, text, out);
}

char* write_text_cell(CellColumn& column, std::size_t row, char* out) {
  const std::string_view text = column.text(row);
  out[0] = '"';
  const unsigned flags = text.size() <= 32 && column.values_end - text.data() >= 32
                             ? scan_short(text.data(), text.size(), out + 1, JsonSpecials{})
                             : column.scan.json(text.data(), text.size(), out + 1, JsonSpecials{});
  if (flags != 0) [[unlikely]]
    return write_careful_text(column, text, out);
  out[text.size() + 1] = '"';
  return out + text.size() + 2;
}

/// A value that is JSON already: embedded, so that the row stays one document. What is no JSON (a source that does not
/// check its json columns) becomes a string instead of breaking the line.
char* write_json_cell(CellColumn& column, std::size_t row, char* out) {
  std::string_view text = column.text(row);
  const JsonCheck check = check_json(text);
  if (!check.valid) {
    ++column.fidelity.stringified;
    return write_string(column, text, out);
  }
  text = as_utf8(column, text);
  if (!check.line_breaks) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
  }
  return std::copy_if(text.begin(), text.end(), out, [](char c) { return c != '\n' && c != '\r'; });
}

/// A number kept as text because no fixed width holds it.
char* write_number_text_cell(CellColumn& column, std::size_t row, char* out) {
  const std::string_view text = column.text(row);
  if (is_json_number(text)) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
  }
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    ++column.fidelity.replaced;
    return write_null(out);
  }
  ++column.fidelity.stringified;
  return write_string(column, text, out);
}

template <class T>
char* write_float_cell(CellColumn& column, std::size_t row, char* out) {
  const T value = column.value<T>(row);
  if (std::isfinite(value)) return write_float(out, value);
  ++column.fidelity.replaced;
  return write_null(out);
}

template <CellWriter write>
char* quoted(CellColumn& column, std::size_t row, char* out) {
  *out++ = '"';
  out = write(column, row, out);
  *out++ = '"';
  return out;
}

template <CellWriter write>
char* nullable(CellColumn& column, std::size_t row, char* out) {
  return column.valid(row) ? write(column, row, out) : write_null(out);
}

template <CellWriter write>
CellWriters writers() {
  return {write, nullable<write>};
}

CellWriters writers_of(const DataType& type, bool utc) {
  switch (type.logical) {
    case LogicalType::boolean:
      return writers<write_bool_cell>();
    case LogicalType::int16:
    case LogicalType::int32:
      return writers<write_int32_cell>();
    case LogicalType::int64:
      return writers<write_int64_cell>();
    case LogicalType::float32:
      return writers<write_float_cell<float>>();
    case LogicalType::float64:
      return writers<write_float_cell<double>>();
    case LogicalType::uuid:
      return writers<quoted<write_uuid_cell>>();
    case LogicalType::date:
      return writers<quoted<write_date_cell>>();
    case LogicalType::time:
      return writers<quoted<write_time_cell>>();
    case LogicalType::timestamp:
      return writers<quoted<write_timestamp_cell>>();
    case LogicalType::timestamptz:
      return utc ? writers<quoted<write_timestamptz_cell>>() : writers<quoted<write_zoned_timestamptz_cell>>();
    case LogicalType::bytea:
      return writers<quoted<write_base64_cell>>();
    case LogicalType::decimal:
      if (physical_type(type) == PhysicalType::decimal128) return writers<write_decimal_cell>();
      return writers<write_number_text_cell>();
    case LogicalType::text:
    case LogicalType::interval:
      return writers<write_text_cell>();
    case LogicalType::json:
    case LogicalType::array:
      return writers<write_json_cell>();
  }
  return {};
}

}  // namespace

Result<std::vector<CellColumn>> make_json_columns(const ExportSpec& spec, std::string_view row_begin) {
  TRY(const TimeZone zone, TimeZone::find(spec.time_zone));
  std::vector<CellColumn> columns;
  columns.reserve(spec.columns.size());
  for (const Column& column : spec.columns) {
    CellColumn cell;
    cell.type = column.type;
    cell.name = column.name;
    cell.prefix = (columns.empty() ? std::string(row_begin) + "{" : ",") + json_string(column.name) + ":";
    cell.writers = writers_of(column.type, zone.is_utc());
    cell.zone = LocalTime(zone);
    if (physical_type(column.type) == PhysicalType::bytes) {
      cell.growth = column.type.logical == LogicalType::bytea ? 2 : 6;
    }
    columns.push_back(std::move(cell));
  }
  return columns;
}

}  // namespace longshore
