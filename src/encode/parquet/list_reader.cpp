#include "parquet/list_reader.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "parquet/conform.h"
#include "parquet/element_text.h"

namespace longshore::parquet {
namespace {

template <class Number>
std::optional<Number> read_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// JSON numbers, and PostgreSQL's words for what JSON has no numbers for.
template <class Float>
std::optional<Float> read_float(std::string_view text) {
  constexpr Float kInfinity = std::numeric_limits<Float>::infinity();
  if (text == "NaN") return std::numeric_limits<Float>::quiet_NaN();
  if (text == "Infinity") return kInfinity;
  if (text == "-Infinity") return -kInfinity;
  const auto number = read_number<Float>(text);
  if (number && !std::isfinite(*number)) return std::nullopt;  // from_chars() takes other spellings, too
  return number;
}

template <class Value>
bool append_found(const std::optional<Value>& value, ColumnVector& column) {
  if (value) column.append(*value);
  return value.has_value();
}

}  // namespace

void ListReader::read(const ColumnVector& arrays, ListLevels& levels, ColumnFidelity& fidelity) {
  elements_.clear();
  const bool keep_nested = leaf_.type.logical == LogicalType::json;
  for (std::size_t row = 0; row < arrays.size(); ++row) {
    if (arrays.is_null(row)) {
      levels.add_null_list();
      continue;
    }
    const JsonArrayShape shape = read_json_array(arrays.text(row), keep_nested, found_);
    if (shape == JsonArrayShape::broken) {
      levels.add_null_list();
      ++fidelity.replaced;
      continue;
    }
    bool replaced = shape == JsonArrayShape::flattened;
    stringified_ = false;
    if (found_.empty()) levels.add_empty_list();
    bool first = true;
    for (const JsonElement& element : found_) {
      const bool has_value = element.kind != JsonElement::Kind::null && append_element(element);
      replaced = replaced || (!has_value && element.kind != JsonElement::Kind::null);
      levels.add_element(first, !has_value);
      first = false;
    }
    if (replaced) {
      ++fidelity.replaced;
    } else if (stringified_) {
      ++fidelity.stringified;
    }
  }
}

bool ListReader::append_number(std::string_view text) {
  switch (leaf_.type.logical) {
    case LogicalType::int16: {
      const auto number = read_number<std::int16_t>(text);
      return append_found(number ? std::optional<std::int32_t>(*number) : std::nullopt, elements_);
    }
    case LogicalType::int32:
      return append_found(read_number<std::int32_t>(text), elements_);
    case LogicalType::int64:
      return append_found(read_number<std::int64_t>(text), elements_);
    case LogicalType::float32:
      return append_found(read_float<float>(text), elements_);
    default:
      return append_found(read_float<double>(text), elements_);
  }
}

bool ListReader::append_text_element(const JsonElement& element) {
  if (element.kind == JsonElement::Kind::string) {
    elements_.append_text(unescape_json(element.text));
  } else {
    stringified_ = stringified_ || leaf_.type.logical != LogicalType::decimal;
    elements_.append_text(element.text);
  }
  return true;
}

bool ListReader::append_element(const JsonElement& element) {
  const bool is_string = element.kind == JsonElement::Kind::string;
  switch (leaf_.type.logical) {
    case LogicalType::boolean:
      if (is_string || (element.text != "true" && element.text != "false")) return false;
      elements_.append<std::uint8_t>(element.text == "true" ? 1 : 0);
      return true;
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64:
    case LogicalType::float32:
    case LogicalType::float64:
      return append_number(element.text);
    case LogicalType::uuid:
      return is_string && append_found(read_uuid(element.text), elements_);
    case LogicalType::date: {
      const auto date = is_string ? read_date(element.text) : std::nullopt;
      return date && fits(leaf_, *date) && append_found(date, elements_);
    }
    case LogicalType::time: {
      const auto time = is_string ? read_time(element.text) : std::nullopt;
      return time && fits(leaf_, *time) && append_found(time, elements_);
    }
    case LogicalType::timestamp:
    case LogicalType::timestamptz: {
      const auto micros = is_string ? read_timestamp(element.text) : std::nullopt;
      return micros && fits(leaf_, *micros) && append_found(micros, elements_);
    }
    case LogicalType::bytea: {
      const auto bytes = is_string ? read_base64(element.text) : std::nullopt;
      if (bytes) elements_.append_text(*bytes);
      return bytes.has_value();
    }
    case LogicalType::json:
      // Strings get their quotes back: they stand around the view.
      elements_.append_text(is_string ? std::string_view(element.text.data() - 1, element.text.size() + 2)
                                      : element.text);
      return true;
    case LogicalType::decimal:
    case LogicalType::text:
    case LogicalType::interval:
    case LogicalType::array:
      break;
  }
  return append_text_element(element);
}

}  // namespace longshore::parquet
