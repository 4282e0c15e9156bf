#include "pdf/report_column.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "batch/column_vector.h"
#include "encode/text/calendar.h"
#include "encode/text/digits.h"
#include "encode/text/plain_cells.h"

namespace longshore {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr std::string_view kBeforeChrist = " BC";

/// `2026-06-06T14:20:00` with a blank for the T. The date of a year has at least ten characters.
void put_blank_for_t(char* begin, const char* end) {
  char* const t = std::find(begin, const_cast<char*>(end), 'T');
  if (t != end) *t = ' ';
}

template <CellWriter write>
std::string_view by_writer(ReportColumn& column, std::size_t row) {
  char* const begin = column.scratch.data();
  return {begin, static_cast<std::size_t>(write(column.cell, row, begin) - begin)};
}

template <class T>
std::string_view float_text(ReportColumn& column, std::size_t row) {
  char* const begin = column.scratch.data();
  const T value = column.cell.value<T>(row);
  const char* const end =
      std::isfinite(value) ? write_float(begin, value) : write_not_a_number(begin, static_cast<double>(value));
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::string_view timestamp_text(ReportColumn& column, std::size_t row) {
  char* const begin = column.scratch.data();
  char* const end = write_timestamp_cell(column.cell, row, begin);
  put_blank_for_t(begin, end);
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::string_view timestamptz_text(ReportColumn& column, std::size_t row) {
  char* const begin = column.scratch.data();
  char* const end = write_local_timestamp(begin, column.cell.value<std::int64_t>(row), column.time, column.cell.day);
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::string_view raw_text(ReportColumn& column, std::size_t row) {
  return column.cell.text(row);
}

std::string_view base64_text(ReportColumn& column, std::size_t row) {
  // A multiple of three, so that what is cut off leaves no padding inside.
  constexpr std::size_t kMaxRaw = kMaxShownBytes / 4 * 3 + 3;
  const std::string_view bytes = column.cell.text(row).substr(0, kMaxRaw);
  column.scratch.resize(bytes.size() / 3 * 4 + kCellOvershoot);
  char* const begin = column.scratch.data();
  return {begin, static_cast<std::size_t>(write_base64(begin, bytes.data(), bytes.size()) - begin)};
}

void choose_text(ReportColumn& column) {
  const DataType& type = column.cell.type;
  column.plain = true;
  switch (type.logical) {
    case LogicalType::boolean:
      column.text = by_writer<write_bool_cell>;
      return;
    case LogicalType::int16:
    case LogicalType::int32:
      column.text = by_writer<write_int32_cell>;
      column.digits = true;
      return;
    case LogicalType::int64:
      column.text = by_writer<write_int64_cell>;
      column.digits = true;
      return;
    case LogicalType::float32:
      column.text = float_text<float>;
      return;
    case LogicalType::float64:
      column.text = float_text<double>;
      return;
    case LogicalType::uuid:
      column.text = by_writer<write_uuid_cell>;
      return;
    case LogicalType::date:
      column.text = by_writer<write_date_cell>;
      return;
    case LogicalType::time:
      column.text = by_writer<write_time_cell>;
      return;
    case LogicalType::timestamp:
      column.text = timestamp_text;
      return;
    case LogicalType::timestamptz:
      column.text = timestamptz_text;
      return;
    case LogicalType::bytea:
      column.text = base64_text;
      column.wraps = true;
      return;
    case LogicalType::decimal:
      if (physical_type(type) == PhysicalType::decimal128) {
        column.text = by_writer<write_decimal_cell>;
        column.digits = true;
        return;
      }
      break;
    case LogicalType::text:
    case LogicalType::interval:
    case LogicalType::json:
    case LogicalType::array:
      column.wraps = true;
      break;
  }
  column.text = raw_text;
  column.plain = false;
}

}  // namespace

char* write_local_timestamp(char* out, std::int64_t micros, LocalTime& time, DayText& day) {
  // At the ends of what 64 bits hold stand the infinite times, and local time could overflow.
  const bool extreme = micros < INT64_MIN + 2 * kMicrosPerDay || micros > INT64_MAX - 2 * kMicrosPerDay;
  const bool utc = time.zone().is_utc() || extreme;
  char* end = write_timestamp(out, utc ? micros : time.local_micros(micros), false, day);
  put_blank_for_t(out, end);
  if (utc) return end;
  const bool before_christ = std::string_view(out, static_cast<std::size_t>(end - out)).ends_with(kBeforeChrist);
  if (before_christ) end -= kBeforeChrist.size();
  const int minutes = time.offset_at(micros) / 60;
  *end++ = minutes < 0 ? '-' : '+';
  const auto size = static_cast<std::uint32_t>(std::abs(minutes));
  write_digit_pair(end, size / 60);
  end += 2;
  if (size % 60 != 0) {
    *end++ = ':';
    write_digit_pair(end, size % 60);
    end += 2;
  }
  return before_christ ? write_word(end, kBeforeChrist) : end;
}

bool is_numeric(const DataType& type) {
  switch (type.logical) {
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
    case LogicalType::float32:
    case LogicalType::float64:
    case LogicalType::decimal:
      return true;
    default:
      return false;
  }
}

Result<std::vector<ReportColumn>> make_report_columns(const ExportSpec& spec) {
  TRY(const TimeZone zone, TimeZone::find(spec.time_zone));
  std::vector<ReportColumn> columns(spec.columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].cell.type = spec.columns[i].type;
    columns[i].cell.name = spec.columns[i].name;
    columns[i].time = LocalTime(zone);
    columns[i].scratch.resize(kFixedCellBytes + kCellOvershoot);
    columns[i].numeric = is_numeric(spec.columns[i].type);
    choose_text(columns[i]);
  }
  return columns;
}

Status bind(std::vector<ReportColumn>& columns, const RowBatch& batch) {
  if (batch.column_count() != columns.size()) {
    return fail(internal_error("batch_shape", "a batch of " + std::to_string(batch.column_count()) +
                                                  " columns came for an export of " + std::to_string(columns.size())));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    CellColumn& cell = columns[i].cell;
    const ColumnVector& source = batch.column(i);
    if (source.type() != cell.type || source.size() != batch.row_count()) {
      return fail(internal_error("batch_shape", "column '" + cell.name + "' came as " + to_string(source.type()) +
                                                    " with " + std::to_string(source.size()) + " values, expected " +
                                                    to_string(cell.type) + " with " +
                                                    std::to_string(batch.row_count())));
    }
    cell.values = source.bytes();
    cell.values_end = cell.values + source.byte_size();
    cell.offsets = source.physical() == PhysicalType::bytes ? source.offsets() : nullptr;
    cell.validity = source.validity();
  }
  return {};
}

}  // namespace longshore
