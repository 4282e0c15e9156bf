#include "scan/postgres/copy_decoder.h"
#include "base/digest.h"

#include <cstring>
#include <utility>

#include "base/digest.h"
#include "scan/postgres/wire_value.h"
#include "scan/scan_errors.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);

std::int32_t read_int32(const char* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return static_cast<std::int32_t>(__builtin_bswap32(value));
}

std::int16_t read_int16(const char* at) {
  std::uint16_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return static_cast<std::int16_t>(__builtin_bswap16(value));
}

/// The only value of a column in canonical text.
std::string canonical_text(const ColumnVector& column) {
  switch (column.physical()) {
    case PhysicalType::boolean:
      return *column.values<std::uint8_t>() != 0 ? "true" : "false";
    case PhysicalType::int32:
      if (column.type().logical == LogicalType::date) return date_text(*column.values<std::int32_t>());
      return std::to_string(*column.values<std::int32_t>());
    case PhysicalType::int64: {
      const std::int64_t value = *column.values<std::int64_t>();
      switch (column.type().logical) {
        case LogicalType::time:
          return time_text(value);
        case LogicalType::timestamp:
          return timestamp_text(value, false);
        case LogicalType::timestamptz:
          return timestamp_text(value, true);
        default:
          return std::to_string(value);
      }
    }
    case PhysicalType::float32:
      return float_text(*column.values<float>());
    case PhysicalType::float64:
      return float_text(*column.values<double>());
    case PhysicalType::decimal128:
      return decimal_text(*column.values<Int128>(), column.type().scale);
    case PhysicalType::fixed16:
      return uuid_text(column.values<std::uint8_t>());
    case PhysicalType::bytes:
      if (column.type().logical == LogicalType::bytea) return "\\x" + to_hex(column.text(0));
      return std::string(column.text(0));
  }
  return {};
}

}  // namespace

CopyFormat choose_copy_format(const std::vector<WireColumn>& columns) {
  int binary = 0;
  int text = 0;
  for (const WireColumn& column : columns) {
    binary += wire_cost(column.kind, CopyFormat::binary);
    text += wire_cost(column.kind, CopyFormat::text);
  }
  return binary <= text ? CopyFormat::binary : CopyFormat::text;
}

CopyDecoder::CopyDecoder(CopyFormat format, std::vector<WireColumn> columns, std::size_t exported,
                         std::vector<std::size_t> key)
    : format_(format),
      columns_(std::move(columns)),
      exported_(exported),
      key_(std::move(key)),
      fields_(columns_.size()) {}

void CopyDecoder::begin() {
  header_pending_ = format_ == CopyFormat::binary;
}

bool CopyDecoder::split_binary(std::string_view message, bool& has_row) {
  const char* at = message.data();
  const char* const end = at + message.size();
  if (header_pending_) {
    // Signature, flags, and an extension that may be skipped. The server sends it in front of the first row.
    if (message.size() < kSignature.size() + 8 || !message.starts_with(kSignature)) return false;
    at += kSignature.size() + 4;
    const std::int32_t extension = read_int32(at);
    at += 4;
    if (extension < 0 || end - at < extension) return false;
    at += extension;
    header_pending_ = false;
  }
  has_row = false;
  if (at == end) return true;
  if (end - at < 2) return false;
  const int count = read_int16(at);
  at += 2;
  if (count == -1) return at == end;
  if (static_cast<std::size_t>(count) != fields_.size()) return false;
  for (std::string_view& field : fields_) {
    if (end - at < 4) return false;
    const std::int32_t size = read_int32(at);
    at += 4;
    if (size == -1) {
      field = {};
      continue;
    }
    if (size < 0 || end - at < size) return false;
    field = {at, static_cast<std::size_t>(size)};
    at += size;
  }
  has_row = true;
  return at == end;
}

bool CopyDecoder::split_text(std::string_view message) {
  if (!message.ends_with('\n')) return false;
  message.remove_suffix(1);
  const char* at = message.data();
  const char* const end = at + message.size();
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const bool last = i + 1 == fields_.size();
    const char* tab =
        at == end ? nullptr : static_cast<const char*>(std::memchr(at, '\t', static_cast<std::size_t>(end - at)));
    if (last != (tab == nullptr)) return false;
    const char* const stop = last ? end : tab;
    fields_[i] = {at, static_cast<std::size_t>(stop - at)};
    if (fields_[i] == "\\N") fields_[i] = {};
    at = last ? end : tab + 1;
  }
  return true;
}

Result<bool> CopyDecoder::decode(std::string_view message, RowBatch& batch) {
  const bool binary = format_ == CopyFormat::binary;
  bool has_row = true;
  if (binary ? !split_binary(message, has_row) : !split_text(message)) {
    return fail(internal_error("postgres_protocol", "the database sent a COPY row that cannot be read"));
  }
  if (!has_row) return false;
  for (std::size_t i = 0; i < exported_; ++i) {
    ColumnVector& column = batch.column(i);
    if (fields_[i].data() == nullptr) {
      column.append_null();
      continue;
    }
    const bool fits = binary ? append_binary(columns_[i].kind, fields_[i], column)
                             : append_text_format(columns_[i].kind, fields_[i], column);
    if (!fits) [[unlikely]]
      return fail(mismatch(i));
  }
  batch.finish_row();
  return true;
}

Result<KeyTuple> CopyDecoder::key() {
  KeyTuple key;
  for (const std::size_t position : key_) {
    const WireColumn& wire = columns_[position];
    const std::string_view field = fields_[position];
    if (field.data() == nullptr) {
      return fail(source_schema_changed("key column \"" + wire.name +
                                        "\" holds NULL; a key must be not null: run `longshore catalog check`"));
    }
    ColumnVector value(wire.type);
    const bool fits = format_ == CopyFormat::binary ? append_binary(wire.kind, field, value)
                                                    : append_text_format(wire.kind, field, value);
    if (!fits) return fail(source_value_mismatch(wire.name, wire.type, field, key));
    key.push_back(canonical_text(value));
  }
  return key;
}

Error CopyDecoder::mismatch(std::size_t column) {
  const WireColumn& wire = columns_[column];
  std::string shown(fields_[column]);
  if (format_ == CopyFormat::binary) {
    switch (wire.kind) {
      case WireKind::numeric:
        shown = numeric_text(fields_[column]);
        break;
      case WireKind::int2:
      case WireKind::int4:
      case WireKind::int8: {
        ColumnVector wide(DataType{.logical = LogicalType::int64});
        append_binary(wire.kind, fields_[column], wide);
        shown = canonical_text(wide);
        break;
      }
      default:
        shown = to_hex(fields_[column]);
    }
  }
  auto row_key = key();
  return source_value_mismatch(wire.name, wire.type, shown, row_key ? *row_key : KeyTuple{});
}

}  // namespace longshore
