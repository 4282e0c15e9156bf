#include "model/data_type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace longshore {

namespace {

struct TypeName {
  std::string_view name;
  LogicalType type;
};

/// The first name of each type is the catalog's own; the others are what people and databases also call it.
constexpr std::array kNames = std::to_array<TypeName>({
    {"bool", LogicalType::boolean},
    {"int16", LogicalType::int16},
    {"int32", LogicalType::int32},
    {"int64", LogicalType::int64},
    {"float32", LogicalType::float32},
    {"float64", LogicalType::float64},
    {"numeric", LogicalType::decimal},
    {"text", LogicalType::text},
    {"uuid", LogicalType::uuid},
    {"date", LogicalType::date},
    {"time", LogicalType::time},
    {"timestamp", LogicalType::timestamp},
    {"timestamptz", LogicalType::timestamptz},
    {"interval", LogicalType::interval},
    {"json", LogicalType::json},
    {"bytea", LogicalType::bytea},
    {"boolean", LogicalType::boolean},
    {"smallint", LogicalType::int16},
    {"int2", LogicalType::int16},
    {"int", LogicalType::int32},
    {"integer", LogicalType::int32},
    {"int4", LogicalType::int32},
    {"bigint", LogicalType::int64},
    {"int8", LogicalType::int64},
    {"real", LogicalType::float32},
    {"float4", LogicalType::float32},
    {"double", LogicalType::float64},
    {"double precision", LogicalType::float64},
    {"float8", LogicalType::float64},
    {"decimal", LogicalType::decimal},
    {"string", LogicalType::text},
    {"varchar", LogicalType::text},
    {"character varying", LogicalType::text},
    {"char", LogicalType::text},
    {"timestamp without time zone", LogicalType::timestamp},
    {"timestamp with time zone", LogicalType::timestamptz},
    {"time without time zone", LogicalType::time},
    {"jsonb", LogicalType::json},
});

std::string_view name_of(LogicalType type) {
  const auto* found = std::ranges::find(kNames, type, &TypeName::type);
  return found == kNames.end() ? std::string_view("array") : found->name;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<int> read_int(std::string_view text) {
  text = trimmed(text);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Reads the `p` or `p,s` of numeric(p,s), within PostgreSQL's limits.
bool read_decimal_shape(std::string_view arguments, DataType& type) {
  const std::size_t comma = arguments.find(',');
  const auto precision = read_int(arguments.substr(0, comma));
  const auto scale = comma == std::string_view::npos ? std::optional<int>(0) : read_int(arguments.substr(comma + 1));
  if (!precision || !scale || *precision < 1 || *precision > 1000 || *scale < -1000 || *scale > 1000) return false;
  type.precision = *precision;
  type.scale = *scale;
  return true;
}

/// `name` or `name(arguments)`; no array.
std::optional<DataType> parse_scalar(std::string_view text) {
  std::optional<std::string_view> arguments;
  if (text.ends_with(')')) {
    const std::size_t open = text.find('(');
    if (open == std::string_view::npos) return std::nullopt;
    arguments = text.substr(open + 1, text.size() - open - 2);
    text = trimmed(text.substr(0, open));
  }
  const auto* found = std::ranges::find(kNames, text, &TypeName::name);
  if (found == kNames.end()) return std::nullopt;

  DataType type{.logical = found->type};
  if (!arguments) return type;
  if (type.logical == LogicalType::decimal) {
    if (!read_decimal_shape(*arguments, type)) return std::nullopt;
    return type;
  }
  // varchar(40): the limit binds the database, not the export.
  const auto length = read_int(*arguments);
  if (type.logical != LogicalType::text || !length || *length < 1) return std::nullopt;
  return type;
}

}  // namespace

std::string to_string(const DataType& type) {
  if (type.logical == LogicalType::array) return std::string(name_of(type.element)) + "[]";
  std::string name(name_of(type.logical));
  if (type.logical == LogicalType::decimal && type.precision > 0) {
    name += "(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
  }
  return name;
}

std::optional<DataType> parse_data_type(std::string_view text) {
  std::string lower(trimmed(text));
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string_view name = lower;
  if (!name.ends_with("[]")) return parse_scalar(name);
  // An element's precision is not kept: arrays are exported as JSON text.
  const auto element = parse_scalar(trimmed(name.substr(0, name.size() - 2)));
  if (!element) return std::nullopt;
  return DataType{.logical = LogicalType::array, .element = element->logical};
}

}  // namespace longshore
