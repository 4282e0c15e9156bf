#include "encode/csv/csv_cells.h"

#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "encode/text/plain_cells.h"

namespace longshore {
namespace {

/// The empty string, as opposed to NULL.
constexpr std::string_view kEmptyText = "\"\"";

constexpr std::uint8_t kFormulaStart = 1;
constexpr std::uint8_t kQuoteStart = 2;  ///< a blank, or the backslash of PostgreSQL's end-of-data mark `\.`

using FirstByteTable = std::array<std::uint8_t, 256>;

constexpr FirstByteTable first_byte_table(bool guard) {
  FirstByteTable table{};
  table[' '] = kQuoteStart;
  table['\\'] = kQuoteStart;
  if (guard) {
    for (const char c : {'=', '+', '-', '@', '\t', '\r', '\n', '\0'}) {
      table[static_cast<unsigned char>(c)] |= kFormulaStart;
    }
  }
  return table;
}

constexpr FirstByteTable kPlainText = first_byte_table(false);
constexpr FirstByteTable kGuardedText = first_byte_table(true);

/// Copies `text` with every quote doubled.
char* copy_doubling_quotes(std::string_view text, char* out) {
  const char* from = text.data();
  const char* end = from + text.size();
  const auto is_quote = CsvSpecials{'"'};  // CR and LF are found too, which costs nothing but the slower copy
  while (end - from >= 16) {
    if (copy_block(from, out, is_quote).special == 0) {
      from += 16;
      out += 16;
      continue;
    }
    // Without a branch: in text like JSON quotes come too often to be predicted.
    for (int i = 0; i < 16; ++i) {
      const char c = *from++;
      out[0] = c;
      out[1] = '"';
      out += c == '"' ? 2 : 1;
    }
  }
  while (from != end) {
    const char c = *from++;
    out[0] = c;
    out[1] = '"';
    out += c == '"' ? 2 : 1;
  }
  return out;
}

bool wants_quotes(std::string_view text, std::uint8_t first_byte) {
  if (text.back() == ' ') return true;
  if ((first_byte & kQuoteStart) == 0) return false;
  return text.front() == ' ' || text == "\\.";
}

/// A text cell that is not plain: quotes, guards and repairs as needed. `flags` are those of a scan that copied the
/// text to `out` if it met nothing special.
[[gnu::noinline]] char* write_careful_text(CellColumn& column, std::string_view text, unsigned flags, char* out) {
  if (flags != 0 && !is_utf8(text)) {
    column.repaired.resize(3 * text.size());
    column.repaired.resize(
        static_cast<std::size_t>(copy_as_utf8(text, column.repaired.data()) - column.repaired.data()));
    text = column.repaired;
    ++column.fidelity.replaced;
  }
  const std::uint8_t first_byte = column.first_byte[static_cast<unsigned char>(text.front())];
  const bool guard = (first_byte & kFormulaStart) != 0;
  if (guard) ++column.fidelity.guarded;
  if ((flags & kScanSpecial) == 0 && !wants_quotes(text, first_byte)) {
    if (guard) *out++ = '\'';
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
  }
  *out++ = '"';
  if (guard) *out++ = '\'';
  out = copy_doubling_quotes(text, out);
  *out++ = '"';
  return out;
}

char* write_text_cell(CellColumn& column, std::size_t row, char* out) {
  const std::string_view text = column.text(row);
  if (text.empty()) return write_word(out, kEmptyText);
  const CsvSpecials specials{column.delimiter};
  const unsigned flags = text.size() <= 32 && column.values_end - text.data() >= 32
                             ? scan_short(text.data(), text.size(), out, specials)
                             : column.scan.csv(text.data(), text.size(), out, specials);
  const bool closer_look =
      (column.first_byte[static_cast<unsigned char>(text.front())] | (text.back() == ' ' ? 1 : 0)) != 0;
  if (flags == 0 && !closer_look) [[likely]]
    return out + text.size();
  return write_careful_text(column, text, flags, out);
}

/// As text, empty bytes differ from NULL.
char* write_bytes_cell(CellColumn& column, std::size_t row, char* out) {
  if (!column.text(row).empty()) return write_base64_cell(column, row, out);
  std::memcpy(out, "\"\"", 2);
  return out + 2;
}

template <class T>
char* write_float_cell(CellColumn& column, std::size_t row, char* out) {
  const T value = column.value<T>(row);
  return std::isfinite(value) ? write_float(out, value) : write_not_a_number(out, static_cast<double>(value));
}

template <CellWriter write>
char* nullable(CellColumn& column, std::size_t row, char* out) {
  return column.valid(row) ? write(column, row, out) : out;
}

/// The only cell of a row: an empty one would make an empty line, which readers skip.
template <CellWriter write>
char* nullable_single(CellColumn& column, std::size_t row, char* out) {
  if (column.valid(row)) return write(column, row, out);
  return write_word(out, kEmptyText);
}

template <CellWriter write>
CellWriters writers(bool single) {
  return {write, single ? nullable_single<write> : nullable<write>};
}

CellWriters writers_of(const DataType& type, bool single, bool utc) {
  switch (type.logical) {
    case LogicalType::boolean:
      return writers<write_bool_cell>(single);
    case LogicalType::int16:
    case LogicalType::int32:
      return writers<write_int32_cell>(single);
    case LogicalType::int64:
      return writers<write_int64_cell>(single);
    case LogicalType::float32:
      return writers<write_float_cell<float>>(single);
    case LogicalType::float64:
      return writers<write_float_cell<double>>(single);
    case LogicalType::uuid:
      return writers<write_uuid_cell>(single);
    case LogicalType::date:
      return writers<write_date_cell>(single);
    case LogicalType::time:
      return writers<write_time_cell>(single);
    case LogicalType::timestamp:
      return writers<write_timestamp_cell>(single);
    case LogicalType::timestamptz:
      return utc ? writers<write_timestamptz_cell>(single) : writers<write_zoned_timestamptz_cell>(single);
    case LogicalType::bytea:
      return writers<write_bytes_cell>(single);
    case LogicalType::decimal:
      if (physical_type(type) == PhysicalType::decimal128) return writers<write_decimal_cell>(single);
      return writers<write_text_cell>(single);
    case LogicalType::text:
    case LogicalType::interval:
    case LogicalType::json:
    case LogicalType::array:
      return writers<write_text_cell>(single);
  }
  return {};
}

bool is_text_typed(LogicalType type) {
  return type == LogicalType::text || type == LogicalType::interval || type == LogicalType::json ||
         type == LogicalType::array;
}

/// `single`: the file has no other column.
CellColumn make_column(const Column& column, const CsvOptions& options, const TimeZone& zone, bool single) {
  CellColumn cell;
  cell.type = column.type;
  cell.name = column.name;
  cell.writers = writers_of(column.type, single, zone.is_utc());
  cell.zone = LocalTime(zone);
  cell.delimiter = options.delimiter;
  const bool guard = options.profile == CsvProfile::spreadsheet && is_text_typed(column.type.logical);
  cell.first_byte = (guard ? kGuardedText : kPlainText).data();
  if (physical_type(column.type) == PhysicalType::bytes)
    cell.growth = column.type.logical == LogicalType::bytea ? 2 : 3;
  return cell;
}

}  // namespace

Result<std::vector<CellColumn>> make_csv_columns(const ExportSpec& spec) {
  TRY(const TimeZone zone, TimeZone::find(spec.time_zone));
  std::vector<CellColumn> columns;
  columns.reserve(spec.columns.size());
  for (const Column& column : spec.columns) {
    CellColumn cell = make_column(column, spec.csv, zone, spec.columns.size() == 1);
    if (!columns.empty()) cell.prefix = spec.csv.delimiter;
    columns.push_back(std::move(cell));
  }
  return columns;
}

std::string csv_header_cell(std::string_view name, char delimiter) {
  CellColumn cell;
  cell.first_byte = kPlainText.data();
  if (name.empty()) return std::string(kEmptyText);
  std::string text(2 * name.size() + kCellOvershoot, '\0');
  const unsigned flags = baseline_scan().csv(name.data(), name.size(), text.data(), CsvSpecials{delimiter});
  text.resize(static_cast<std::size_t>(write_careful_text(cell, name, flags, text.data()) - text.data()));
  return text;
}

}  // namespace longshore
