#include "scan/sqlite/keyset_query.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "scan/scan_errors.h"
#include "scan/sql_text.h"
#include "scan/sqlite/schema_reader.h"
#include "scan/value_text.h"

namespace longshore {

namespace {

using Bind = SqliteCondition::Bind;
using Storage = SqliteValue::Storage;

Bind bind_integer(std::int64_t value) {
  return {.storage = Storage::integer, .integer = value, .real = 0, .bytes = {}};
}
Bind bind_real(double value) {
  return {.storage = Storage::real, .integer = 0, .real = value, .bytes = {}};
}
Bind bind_text(std::string value) {
  return {.storage = Storage::text, .integer = 0, .real = 0, .bytes = std::move(value)};
}
Bind bind_blob(std::string value) {
  return {.storage = Storage::blob, .integer = 0, .real = 0, .bytes = std::move(value)};
}

std::string as_bytes(const std::array<std::uint8_t, 16>& uuid) {
  return {uuid.begin(), uuid.end()};
}

/// The bytes of `\x00ff`.
std::optional<std::string> unhex(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 2; i < text.size(); i += 2) {
    int byte = 0;
    for (const char c : text.substr(i, 2)) {
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (digit < 0) return std::nullopt;
      byte = byte * 16 + digit;
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

/// One side of a comparison: how the column is written, and what is bound against it (more than one: any of them).
struct Comparison {
  std::string column;
  std::vector<Bind> values;
  std::string marker = "?";
};

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

/// `affinity_text`: SQLite would turn a number bound against the column into text.
Result<Comparison> comparison(const std::string& name, const Value& value, bool affinity_text) {
  const std::string column = quote_identifier(name);
  const auto unreadable = [&] {
    return fail(bad_filter_value("'" + value.text + "', compared with column \"" + name + "\", is no " +
                                 to_string(value.type)));
  };
  switch (value.type.logical) {
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64: {
      const auto number = parse_int64(value.text);
      if (!number) return unreadable();
      return Comparison{affinity_text ? "CAST(" + column + " AS INTEGER)" : column, {bind_integer(*number)}};
    }
    case LogicalType::float32:
    case LogicalType::float64: {
      const auto number = parse_float64(value.text);
      if (!number) return unreadable();
      return Comparison{affinity_text ? "CAST(" + column + " AS REAL)" : column, {bind_real(*number)}};
    }
    case LogicalType::decimal:
      if (!parse_float64(value.text)) return unreadable();
      // Both sides become an integer or a double alike, so equal digits are equal.
      return Comparison{"CAST(" + column + " AS NUMERIC)", {bind_text(value.text)}, "CAST(? AS NUMERIC)"};
    case LogicalType::boolean:
      return Comparison{"longshore_bool(" + column + ")", {bind_integer(value.text == "true" ? 1 : 0)}};
    case LogicalType::date: {
      const auto days = parse_date(value.text);
      if (!days) return unreadable();
      return Comparison{"longshore_days(" + column + ")", {bind_integer(*days)}};
    }
    case LogicalType::time: {
      const auto micros = parse_time(value.text);
      if (!micros) return unreadable();
      return Comparison{"longshore_time(" + column + ")", {bind_integer(*micros)}};
    }
    case LogicalType::timestamp:
    case LogicalType::timestamptz: {
      const auto micros = parse_timestamp(value.text);
      if (!micros) return unreadable();
      return Comparison{"longshore_micros(" + column + ")", {bind_integer(*micros)}};
    }
    case LogicalType::uuid: {
      const auto uuid = parse_uuid(value.text);
      if (!uuid) return unreadable();
      // The spellings that programs use; an index still serves all of them.
      const std::string text = uuid_text(uuid->data());
      return Comparison{column, {bind_text(text), bind_text(upper(text)), bind_blob(as_bytes(*uuid))}};
    }
    case LogicalType::bytea:
      if (const auto bytes = unhex(value.text)) return Comparison{column, {bind_blob(*bytes)}};
      return Comparison{column, {bind_text(value.text)}};
    case LogicalType::text:
    case LogicalType::interval:
    case LogicalType::json:
    case LogicalType::array:
      break;
  }
  return Comparison{column, {bind_text(value.text)}};
}

Result<SqliteCondition> condition(const Filter& filter, bool affinity_text) {
  if (filter.op == FilterOp::is_null) return SqliteCondition{quote_identifier(filter.column) + " IS NULL", {}};
  SqliteCondition result;
  std::string column = quote_identifier(filter.column);
  std::vector<std::string> markers;
  for (const Value& value : filter.values) {
    TRY(Comparison side, comparison(filter.column, value, affinity_text));
    column = side.column;
    const bool any_of = filter.op == FilterOp::eq || filter.op == FilterOp::in;
    if (!any_of) side.values.resize(1);
    for (Bind& bind : side.values) {
      markers.push_back(side.marker);
      result.binds.push_back(std::move(bind));
    }
  }
  if (filter.op == FilterOp::in || (filter.op == FilterOp::eq && markers.size() > 1)) {
    result.sql = markers.empty() ? "0" : column + " IN (" + join(markers, ", ") + ")";
    return result;
  }
  if (markers.size() != 1) {
    return fail(
        internal_error("bad_filter", "a comparison of column \"" + filter.column + "\" needs exactly one value"));
  }
  result.sql = column + " " + std::string(comparison_operator(filter.op)) + " " + markers[0];
  return result;
}

}  // namespace

void SqliteCondition::add(const SqliteCondition& other) {
  if (other.sql.empty()) return;
  if (!sql.empty()) sql += " AND ";
  sql += other.sql;
  binds.insert(binds.end(), other.binds.begin(), other.binds.end());
}

SqliteKey::Class SqliteKey::class_of(Storage storage) {
  switch (storage) {
    case Storage::text:
      return Class::text;
    case Storage::blob:
      return Class::blob;
    case Storage::null:
    case Storage::integer:
    case Storage::real:
      break;
  }
  return Class::number;
}

Result<std::optional<SqliteKey>> SqliteKey::probe(SqliteConnection& connection, const Dataset& dataset) {
  SqliteKey key;
  key.dataset_ = &dataset;
  for (const std::string& column : dataset.key) key.columns_.push_back(quote_identifier(column));
  TRY(SqliteStatement row, connection.prepare("SELECT " + join(key.columns_, ", ") + " FROM " +
                                              quote_relation(dataset.relation) + " LIMIT 1"));
  TRY(const bool exists, row.step());
  if (!exists) return std::optional<SqliteKey>();
  for (std::size_t i = 0; i < key.columns_.size(); ++i) {
    key.classes_.push_back(class_of(row.column(static_cast<int>(i)).storage));
  }
  return std::optional(std::move(key));
}

Result<SqliteCondition> SqliteKey::condition(std::string_view op, const KeyTuple& key) const {
  const auto bad_key = [&] {
    return fail(internal_error("bad_key", "the key " + to_json(key) + " is not one of dataset " + dataset_->name));
  };
  if (key.size() != columns_.size()) return bad_key();
  SqliteCondition result;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (classes_[i] == Class::text) {
      result.binds.push_back(bind_text(key[i]));
    } else if (classes_[i] == Class::blob) {
      const auto uuid = parse_uuid(key[i]);
      const auto bytes = unhex(key[i]);
      if (!uuid && !bytes) return bad_key();
      result.binds.push_back(bind_blob(bytes ? *bytes : as_bytes(*uuid)));
    } else if (const auto integer = parse_int64(key[i])) {
      result.binds.push_back(bind_integer(*integer));
    } else if (const auto real = parse_float64(key[i])) {
      result.binds.push_back(bind_real(*real));
    } else {
      return bad_key();
    }
  }
  result.sql = compare_rows(columns_, op, std::vector<std::string>(key.size(), "?"));
  return result;
}

Result<KeyTuple> SqliteKey::read(const SqliteStatement& statement, int first) const {
  KeyTuple key;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const SqliteValue value = statement.column(first + static_cast<int>(i));
    const bool uuid = value.storage == Storage::blob && value.bytes.size() == 16 &&
                      dataset_->key_types[i].logical == LogicalType::uuid;
    if (value.storage == Storage::null || class_of(value.storage) != classes_[i]) {
      return fail(external_error("source_value_mismatch",
                                 "key column " + columns_[i] + " behind key " + to_json(key) +
                                     (value.storage == Storage::null
                                          ? " is NULL"
                                          : " holds '" + value.to_text() +
                                                "', which is kept in another storage class than the other rows' keys") +
                                     "; rows with such keys have no place in the order of an export",
                                 false));
    }
    if (value.storage == Storage::blob) {
      key.push_back(uuid ? uuid_text(reinterpret_cast<const std::uint8_t*>(value.bytes.data()))
                         : "\\x" + to_hex(value.bytes));
    } else {
      key.push_back(value.to_text());
    }
  }
  return key;
}

bool SqliteKey::is_single_number() const {
  return classes_.size() == 1 && classes_[0] == Class::number;
}

Result<SqliteCondition> selection(SqliteConnection& connection, const ExportSpec& spec) {
  TRY(const std::vector<SqliteColumn> columns, read_columns(connection, spec.dataset.relation));
  std::vector<Filter> filters;
  if (!spec.dataset.tenant_column.empty()) {
    filters.push_back({.column = spec.dataset.tenant_column,
                       .op = FilterOp::eq,
                       .values = {{.type = spec.dataset.tenant_type, .text = spec.tenant}}});
  }
  filters.insert(filters.end(), spec.filters.begin(), spec.filters.end());
  SqliteCondition all{"1", {}};
  for (const Filter& filter : filters) {
    const auto column = std::ranges::find(columns, filter.column, &SqliteColumn::name);
    const bool affinity_text = column != columns.end() && has_text_affinity(column->declared);
    TRY(const SqliteCondition next, condition(filter, affinity_text));
    all.add(next);
  }
  return all;
}

std::string exported_expression(const Column& column) {
  std::string name = quote_identifier(column.source);
  if (column.type.logical != LogicalType::json && column.type.logical != LogicalType::array) return name;
  // Text that is no JSON becomes a blob, which the conversion refuses: it would spoil a file of JSON lines.
  return "CASE WHEN typeof(" + name + ") IN ('null', 'blob') THEN " + name + " WHEN json_valid(" + name + ") THEN " +
         name + " ELSE CAST(" + name + " AS BLOB) END";
}

}  // namespace longshore
