#include "scan/mysql/row_decoder.h"

#include <algorithm>

#include "base/digest.h"
#include "scan/append_value.h"
#include "scan/mysql/literal.h"
#include "scan/scan_errors.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

bool append_number(std::string_view text, ColumnVector& column) {
  const auto number = parse_int64(text);
  return number && append_integer(*number, column);
}

bool append_decimal(std::string_view text, ColumnVector& column) {
  if (column.physical() == PhysicalType::decimal128) {
    return append_optional(parse_decimal(text, column.type().precision, column.type().scale), column);
  }
  // ZEROFILL writes zeros in front, which are none of the number's.
  const bool negative = text.starts_with('-');
  std::string_view digits = negative ? text.substr(1) : text;
  while (digits.size() > 1 && digits[0] == '0' && digits[1] != '.') digits.remove_prefix(1);
  column.append_text((negative ? "-" : "") + std::string(digits));
  return true;
}

bool append_uuid(std::string_view text, MysqlKind kind, ColumnVector& column) {
  if (kind != MysqlKind::binary) return append_optional(parse_uuid(text), column);
  if (text.size() != 16) return false;
  column.append_bytes(text.data(), text.size());
  return true;
}

/// As text: what the server says, but readable where it says bytes.
bool append_as_text(std::string_view text, MysqlKind kind, ColumnVector& column) {
  if (kind == MysqlKind::binary || kind == MysqlKind::other) {
    if (kind == MysqlKind::binary) {
      column.append_text("\\x" + to_hex(text));
    } else {
      column.append_text(text);
    }
    return true;
  }
  if (kind == MysqlKind::float32) {
    const auto number = parse_float64(text);
    if (!number) return false;
    column.append_text(float_text(static_cast<float>(*number)));
    return true;
  }
  column.append_text(text);
  return true;
}

}  // namespace

std::string interval_text(std::string_view time) {
  const bool negative = time.starts_with('-');
  if (negative) time.remove_prefix(1);
  const std::size_t first = time.find(':');
  const std::size_t second = first == std::string_view::npos ? first : time.find(':', first + 1);
  if (second == std::string_view::npos) return {};
  const auto trimmed = [](std::string_view digits) {
    while (digits.size() > 1 && digits[0] == '0' && digits[1] != '.') digits.remove_prefix(1);
    if (digits.find('.') != std::string_view::npos) {
      while (digits.ends_with('0')) digits.remove_suffix(1);
      if (digits.ends_with('.')) digits.remove_suffix(1);
    }
    return digits;
  };
  std::string text = "PT";
  const auto add = [&](std::string_view digits, char unit) {
    const std::string_view number = trimmed(digits);
    if (number == "0") return;
    if (negative) text += '-';
    text += number;
    text += unit;
  };
  add(time.substr(0, first), 'H');
  add(time.substr(first + 1, second - first - 1), 'M');
  add(time.substr(second + 1), 'S');
  return text == "PT" ? "PT0S" : text;
}

bool append_mysql_value(std::string_view text, const MysqlWireColumn& from, ColumnVector& column) {
  switch (column.type().logical) {
    case LogicalType::boolean:
      if (text != "0" && text != "1") return false;
      column.append(static_cast<std::uint8_t>(text == "1"));
      return true;
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
      return append_number(text, column);
    case LogicalType::float32: {
      // The shortest digits of the double that the float is: reading them as a double first rounds nothing twice.
      const auto number = parse_float64(text);
      if (number) column.append(static_cast<float>(*number));
      return number.has_value();
    }
    case LogicalType::float64:
      return append_optional(parse_float64(text), column);
    case LogicalType::decimal:
      return append_decimal(text, column);
    case LogicalType::uuid:
      return append_uuid(text, from.kind, column);
    case LogicalType::date:
      return append_optional(parse_date(text), column);
    case LogicalType::time:
      return append_optional(parse_time(text), column);
    case LogicalType::timestamp:
    case LogicalType::timestamptz:
      return append_optional(parse_timestamp(text), column);
    case LogicalType::interval: {
      const std::string interval = interval_text(text);
      if (!interval.empty()) column.append_text(interval);
      return !interval.empty();
    }
    case LogicalType::json:
    case LogicalType::bytea:
      column.append_text(text);
      return true;
    case LogicalType::text:
      return append_as_text(text, from.kind, column);
    case LogicalType::array:
      break;
  }
  return false;
}

Status MysqlRowDecoder::decode(std::span<const std::string_view> fields, RowBatch& batch, KeyTuple& key) const {
  key.resize(columns_.size() - exported_);
  for (std::size_t i = exported_; i < columns_.size(); ++i) {
    if (fields[i].data() == nullptr) {
      return fail(external_error(
          "source_value_mismatch",
          "key column \"" + columns_[i].name + "\" is NULL in a row; such rows have no place in the order of an export",
          false));
    }
    std::string& part = key[i - exported_];
    if (columns_[i].kind == MysqlKind::binary) {
      part = key_text(fields[i], columns_[i]);
    } else {
      part.assign(fields[i]);  // the memory of the row before is used again
    }
  }
  for (std::size_t i = 0; i < exported_; ++i) {
    const std::string_view text = fields[i];
    const bool dated = columns_[i].kind == MysqlKind::date || columns_[i].kind == MysqlKind::datetime ||
                       columns_[i].kind == MysqlKind::timestamp;
    const bool zero_date = zero_dates_are_null_ && dated && columns_[i].type.logical != LogicalType::text &&
                           text.starts_with("0000-00-00");
    if (text.data() == nullptr || zero_date) {
      batch.column(i).append_null();
    } else if (!append_mysql_value(text, columns_[i], batch.column(i))) {
      return fail(source_value_mismatch(columns_[i].name, columns_[i].type, text, key));
    }
  }
  batch.finish_row();
  return {};
}

}  // namespace longshore
