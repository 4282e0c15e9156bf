#include "xlsx/sheet_cells.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "batch/column_vector.h"
#include "encode/text/digits.h"
#include "encode/text/plain_cells.h"
#include "xlsx/xml_text.h"

namespace longshore {
namespace {

// --- what stands around a value. Kept in fields of 32 or 8 bytes that are copied whole.

constexpr char kTextOpen[33] = " t=\"inlineStr\"><is><t>          ";
constexpr std::size_t kTextOpenSize = 22;
constexpr std::string_view kKeepBlanksOpen = " t=\"inlineStr\"><is><t xml:space=\"preserve\">";
constexpr char kTextClose[17] = "</t></is></c>   ";
constexpr std::size_t kTextCloseSize = 13;
constexpr std::string_view kEmptyText = " t=\"inlineStr\"><is><t></t></is></c>";
constexpr char kNumberClose[9] = "</v></c>";
constexpr char kTrue[33] = " t=\"b\"><v>1</v></c>             ";
constexpr char kFalse[33] = " t=\"b\"><v>0</v></c>             ";
constexpr std::size_t kBoolSize = 19;

char* open_text(char* out) {
  std::memcpy(out, kTextOpen, 32);
  return out + kTextOpenSize;
}
char* close_text(char* out) {
  std::memcpy(out, kTextClose, 16);
  return out + kTextCloseSize;
}
char* close_number(char* out) {
  std::memcpy(out, kNumberClose, 8);
  return out + 8;
}

// --- text

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// The part of `text` that a cell can hold, in UTF-8; counts what had to be done to it.
std::string_view fitting_text(SheetColumn& column, std::string_view text) {
  // A unit of UTF-16 comes from 3 bytes at most: nothing behind these can matter, and a huge value is not copied.
  constexpr std::size_t kEnough = 3 * (kMaxCellUnits + 2);
  const bool cut = text.size() > kEnough;
  if (cut) {
    text = text.substr(0, kEnough);
    // Not within a character, which would look ill-formed.
    std::size_t end = text.size();
    while (end > kEnough - 4 && (static_cast<unsigned char>(text[end - 1]) & 0xC0) == 0x80) --end;
    if (static_cast<unsigned char>(text[end - 1]) >= 0xC0) text = text.substr(0, end - 1);
  }
  if (!is_utf8(text)) {
    column.repaired = repaired_utf8(text);
    text = column.repaired;
    ++column.fidelity.replaced;
  }
  if (text.size() <= kMaxCellUnits) return text;
  const std::size_t fitting = bytes_of_units(text, kMaxCellUnits);
  if (cut || fitting < text.size()) ++column.fidelity.truncated;
  return text.substr(0, fitting);
}

/// A text cell that must be looked at: escapes, blanks at its ends, repairs, the limit.
[[gnu::noinline]] char* write_careful_text(SheetColumn& column, std::string_view text, char* out) {
  text = fitting_text(column, text);
  if (text.empty()) return write_word(out, kEmptyText);
  // Blanks at the ends are dropped by readers unless told otherwise; those inside are not.
  const bool keep = is_blank(text.front()) || is_blank(text.back());
  out = keep ? write_word(out, kKeepBlanksOpen) : open_text(out);
  return close_text(copy_xml_text(text, out));
}

char* write_text(SheetColumn& column, std::string_view text, const char* readable_end, char* out) {
  if (text.empty()) return write_word(out, kEmptyText);
  if (text.size() > kMaxCellUnits) return write_careful_text(column, text, out);
  char* const at = open_text(out);
  const unsigned flags = text.size() <= 32 && readable_end - text.data() >= 32
                             ? scan_xml_short(text.data(), text.size(), at)
                             : scan_xml(text.data(), text.size(), at);
  const bool blank_end = text.front() == ' ' || text.back() == ' ';
  if (flags == 0 && !blank_end) [[likely]]
    return close_text(at + text.size());
  return write_careful_text(column, text, out);
}

char* write_text_cell(SheetColumn& column, std::size_t row, char* out) {
  return write_text(column, column.text(row), column.values_end, out);
}

/// Base64 of what fits a cell, in whole groups, so that what is left can be decoded.
char* write_bytes_cell(SheetColumn& column, std::size_t row, char* out) {
  constexpr std::size_t kMaxBytes = kMaxCellUnits / 4 * 3;
  std::string_view bytes = column.text(row);
  if (bytes.size() > kMaxBytes) {
    bytes = bytes.substr(0, kMaxBytes);
    ++column.fidelity.truncated;
  }
  return close_text(write_base64(open_text(out), bytes.data(), bytes.size()));
}

char* write_uuid_cell(SheetColumn& column, std::size_t row, char* out) {
  return close_text(write_uuid(open_text(out), reinterpret_cast<const unsigned char*>(column.values) + 16 * row));
}

// --- numbers

/// Excel computes with 15 significant digits.
constexpr std::int64_t kMaxExact = 999'999'999'999'999;

char* write_bool_cell(SheetColumn& column, std::size_t row, char* out) {
  std::memcpy(out, column.value<std::uint8_t>(row) != 0 ? kTrue : kFalse, 32);
  return out + kBoolSize;
}

char* write_int32_cell(SheetColumn& column, std::size_t row, char* out) {
  return close_number(write_int64(column.number.write(out), column.value<std::int32_t>(row)));
}

char* write_int64_cell(SheetColumn& column, std::size_t row, char* out) {
  const auto value = column.value<std::int64_t>(row);
  if (value >= -kMaxExact && value <= kMaxExact) [[likely]]
    return close_number(write_int64(column.number.write(out), value));
  ++column.fidelity.stringified;
  return close_text(write_int64(open_text(out), value));
}

/// "Excel specifications and limits": smallest and largest number. What is not within is text.
template <class T>
bool is_excel_number(T number) {
  const double magnitude = std::fabs(static_cast<double>(number));
  return magnitude == 0 || (magnitude >= 2.2250738585072014e-308 && magnitude <= 9.99999999999999e307);
}

template <class T>
char* write_float_cell(SheetColumn& column, std::size_t row, char* out) {
  const T value = column.value<T>(row);
  if (is_excel_number(value)) [[likely]]
    return close_number(write_float(column.number.write(out), value));
  ++column.fidelity.stringified;
  out = open_text(out);
  return close_text(std::isfinite(value) ? write_float(out, value)
                                         : write_not_a_number(out, static_cast<double>(value)));
}

/// Whether `value` / 10^scale has at most 15 digits, zeros at the fraction's end not counted.
bool has_few_digits(Int128 value, int scale) {
  UInt128 magnitude = value < 0 ? 0 - static_cast<UInt128>(value) : static_cast<UInt128>(value);
  while (magnitude > static_cast<UInt128>(kMaxExact) && scale > 0 && magnitude % 10 == 0) {
    magnitude /= 10;
    --scale;
  }
  return magnitude <= static_cast<UInt128>(kMaxExact);
}

char* write_decimal_cell(SheetColumn& column, std::size_t row, char* out) {
  const auto value = column.value<Int128>(row);
  const bool small = value >= -kMaxExact && value <= kMaxExact;
  if (small || has_few_digits(value, column.type.scale)) [[likely]]
    return close_number(write_decimal(column.number.write(out), value, column.type.scale));
  ++column.fidelity.stringified;
  return close_text(write_decimal(open_text(out), value, column.type.scale));
}

/// The same for digits: `-12.50`. Anything else, also an exponent, is none of these.
bool is_short_decimal(std::string_view text) {
  if (text.size() > 40) return false;
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  std::string_view fraction = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  const auto digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!digits(whole) || (dot != std::string_view::npos && !digits(fraction))) return false;
  if (whole.size() > 1 && whole.front() == '0') return false;
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (whole != "0") return whole.size() + fraction.size() <= 15;
  return fraction.size() - std::min(fraction.find_first_not_of('0'), fraction.size()) <= 15;
}

char* write_number_text_cell(SheetColumn& column, std::size_t row, char* out) {
  const std::string_view text = column.text(row);
  if (is_short_decimal(text)) {
    return close_number(std::copy(text.begin(), text.end(), column.number.write(out)));
  }
  ++column.fidelity.stringified;
  return write_text(column, text, column.values_end, out);
}

// --- dates and times: days since 1899-12-30 and a fraction of a day (ECMA-376 part 1, section 18.17.4.1)

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
/// From here on a time of day rounds to 24:00 in the milliseconds that programs show.
constexpr std::int64_t kRoundsUp = kMicrosPerDay - 500;
constexpr std::int64_t kSerialOf1970 = 25'569;
/// 1900-03-01. Before it Excel counts a 29 February 1900 that never was.
constexpr std::int64_t kFirstSerial = 61;
constexpr std::int64_t kLastSerial = 2'958'465;  ///< 9999-12-31

/// The year 10000 cannot be shown, not even as the rounded end of 9999.
bool is_serial(std::int64_t serial, std::int64_t micros = 0) {
  return serial >= kFirstSerial && (serial < kLastSerial || (serial == kLastSerial && micros < kRoundsUp));
}

/// The fraction of a day, to 12 digits, at most 43 ns off: a double holds no more beside the days.
char* write_day_fraction(char* out, std::int64_t micros) {
  if (micros == 0) return out;
  *out++ = '.';
  write_padded(out, (static_cast<std::uint64_t>(micros) * 10'000 + 432) / 864, 12);
  out += 12;
  while (out[-1] == '0') --out;
  return out;
}

char* write_date_cell(SheetColumn& column, std::size_t row, char* out) {
  const auto days = column.value<std::int32_t>(row);
  const std::int64_t serial = days + kSerialOf1970;
  if (is_serial(serial)) [[likely]]
    return close_number(write_uint64(column.number.write(out), static_cast<std::uint64_t>(serial)));
  ++column.fidelity.stringified;
  return close_text(write_date(open_text(out), days, column.day));
}

char* write_time_cell(SheetColumn& column, std::size_t row, char* out) {
  const auto micros = column.value<std::int64_t>(row);
  // 24:00:00 would be shown as midnight.
  if (micros >= kRoundsUp) {
    ++column.fidelity.stringified;
    return close_text(write_time(open_text(out), micros));
  }
  out = (micros % 1'000'000 == 0 ? column.number : column.fractional).write(out);
  *out++ = '0';
  return close_number(write_day_fraction(out, micros));
}

/// A local time as a number; nullptr when it has none.
char* write_serial_time(const SheetColumn& column, std::int64_t micros, char* out) {
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  const std::int64_t serial = days + kSerialOf1970;
  if (!is_serial(serial, rest)) return nullptr;
  out = (rest % 1'000'000 == 0 ? column.number : column.fractional).write(out);
  return close_number(write_day_fraction(write_uint64(out, static_cast<std::uint64_t>(serial)), rest));
}

char* write_timestamp_cell(SheetColumn& column, std::size_t row, char* out) {
  const auto micros = column.value<std::int64_t>(row);
  if (char* const end = write_serial_time(column, micros, out); end != nullptr) [[likely]]
    return end;
  ++column.fidelity.stringified;
  return close_text(write_timestamp(open_text(out), micros, false, column.day));
}

template <bool utc>
char* write_timestamptz_cell(SheetColumn& column, std::size_t row, char* out) {
  const auto micros = column.value<std::int64_t>(row);
  if constexpr (utc) {
    if (char* const end = write_serial_time(column, micros, out); end != nullptr) [[likely]]
      return end;
    ++column.fidelity.stringified;
    return close_text(write_timestamp(open_text(out), micros, true, column.day));
  } else {
    // What is as far out has no serial number in any zone; the ends cannot be shifted.
    const bool near = micros > -kMicrosPerDay * kLastSerial && micros < kMicrosPerDay * kLastSerial;
    char* const end = near ? write_serial_time(column, column.zone.local_micros(micros), out) : nullptr;
    if (end != nullptr) [[likely]]
      return end;
    ++column.fidelity.stringified;
    return close_text(write_zoned_timestamp(open_text(out), micros, column.zone, column.day));
  }
}

struct Kind {
  SheetCellWriter write;
  int style = CellStyles::kGeneral;
  int fraction_style = CellStyles::kGeneral;
};

Kind kind_of(const DataType& type, const CellStyles& styles, bool utc) {
  switch (type.logical) {
    case LogicalType::boolean:
      return {write_bool_cell};
    case LogicalType::int16:
    case LogicalType::int32:
      return {write_int32_cell};
    case LogicalType::int64:
      return {write_int64_cell, CellStyles::kInteger};
    case LogicalType::float32:
      return {write_float_cell<float>};
    case LogicalType::float64:
      return {write_float_cell<double>};
    case LogicalType::uuid:
      return {write_uuid_cell};
    case LogicalType::date:
      return {write_date_cell, CellStyles::kDate};
    case LogicalType::time:
      return {write_time_cell, CellStyles::kTime, CellStyles::kTimeFraction};
    case LogicalType::timestamp:
      return {write_timestamp_cell, CellStyles::kTimestamp, CellStyles::kTimestampFraction};
    case LogicalType::timestamptz:
      return {utc ? write_timestamptz_cell<true> : write_timestamptz_cell<false>, CellStyles::kTimestamp,
              CellStyles::kTimestampFraction};
    case LogicalType::bytea:
      return {write_bytes_cell};
    case LogicalType::decimal:
      if (physical_type(type) == PhysicalType::decimal128) return {write_decimal_cell, styles.decimal(type.scale)};
      return {write_number_text_cell};
    case LogicalType::text:
    case LogicalType::interval:
    case LogicalType::json:
    case LogicalType::array:
      break;
  }
  return {write_text_cell};
}

std::string number_open(int style) {
  return style == CellStyles::kGeneral ? "><v>" : " s=\"" + std::to_string(style) + "\"><v>";
}

}  // namespace

SheetColumn make_sheet_column(const DataType& type, const CellStyles& styles, const TimeZone& zone) {
  const Kind kind = kind_of(type, styles, zone.is_utc());
  SheetColumn column;
  column.type = type;
  column.write = kind.write;
  column.number.set(number_open(kind.style));
  column.fractional.set(number_open(kind.fraction_style));
  column.zone = LocalTime(zone);
  return column;
}

std::string header_cell(std::string_view text, std::string_view reference, int style) {
  SheetColumn column;
  std::string cell = "<c r=\"" + std::string(reference) + "\" s=\"" + std::to_string(style) + "\"";
  const std::size_t begin = cell.size();
  cell.resize(begin + kXmlTextGrowth * std::min(text.size(), 3 * kMaxCellUnits) + kSheetCellBytes);
  const char* end = write_careful_text(column, text, cell.data() + begin);
  cell.resize(static_cast<std::size_t>(end - cell.data()));
  return cell;
}

std::string column_letters(std::size_t index) {
  std::string letters;
  for (std::size_t rest = index + 1; rest > 0; rest = (rest - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (rest - 1) % 26));
  }
  return letters;
}

}  // namespace longshore
