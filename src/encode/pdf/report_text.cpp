#include "pdf/report_text.h"

#include <algorithm>

#include "base/clock.h"
#include "base/time_zone.h"
#include "base/utf8.h"
#include "pdf/report_column.h"

namespace longshore {
namespace {

std::string local_text(Timestamp time, LocalTime& zone) {
  char buffer[64];
  DayText day;
  char* const end = write_local_timestamp(buffer, time.time_since_epoch().count(), zone, day);
  return {buffer, static_cast<std::size_t>(end - buffer)};
}

/// Conditions are shown by the names that the API has for columns.
std::string api_name(const Dataset& dataset, const std::string& source) {
  const auto found = std::find_if(dataset.columns.begin(), dataset.columns.end(),
                                  [&](const Column& column) { return column.source == source; });
  return found == dataset.columns.end() ? source : found->name;
}

std::string value_text(const Value& value, LocalTime& zone) {
  if (value.type.logical == LogicalType::timestamptz) {
    if (const auto time = parse_rfc3339(value.text)) return local_text(*time, zone);
  }
  const bool quoted = value.text.empty() || value.text.find_first_of(", ") != std::string::npos;
  return quoted && value.type.logical == LogicalType::text ? "\u201C" + value.text + "\u201D" : value.text;
}

std::string_view symbol(FilterOp op) {
  switch (op) {
    case FilterOp::eq:
      return " = ";
    case FilterOp::gte:
      return " \u2265 ";
    case FilterOp::gt:
      return " > ";
    case FilterOp::lte:
      return " \u2264 ";
    case FilterOp::lt:
      return " < ";
    case FilterOp::in:
      return " is one of ";
    case FilterOp::is_null:
      return " is empty";
  }
  return " ";
}

std::string condition(const Filter& filter, const Dataset& dataset, LocalTime& zone) {
  // More than a title block has room for; the request has them all.
  constexpr std::size_t kMaxValues = 40;
  std::string text = api_name(dataset, filter.column) + std::string(symbol(filter.op));
  for (std::size_t i = 0; i < std::min(filter.values.size(), kMaxValues); ++i) {
    if (i > 0) text += ", ";
    text += value_text(filter.values[i], zone);
  }
  if (filter.values.size() > kMaxValues) {
    text += ", \u2026 (" + std::to_string(filter.values.size()) + " values)";
  }
  return clean_text(text);
}

}  // namespace

std::string readable_name(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '_', ' ');
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z') result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

std::string grouped_digits(std::int64_t value) {
  std::string digits = std::to_string(value);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return digits;
}

std::string clean_text(std::string_view text) {
  std::string result(3 * text.size(), '\0');
  result.resize(static_cast<std::size_t>(copy_as_utf8(text, result.data()) - result.data()));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return result;
}

Result<ReportText> make_report_text(const ExportSpec& spec) {
  TRY(TimeZone zone, TimeZone::find(spec.time_zone));
  ReportText text;
  text.dataset = clean_text(spec.dataset.name);
  text.description = clean_text(spec.dataset.description);
  text.title = clean_text(spec.title);
  if (text.title.empty()) text.title = readable_name(text.dataset);
  if (text.title.empty()) text.title = "Export";
  text.time_zone = zone.name();
  LocalTime local(zone);
  // To the second: nobody reads the rest.
  text.generated = local_text(std::chrono::floor<std::chrono::seconds>(spec.requested_at), local);
  if (zone.is_utc()) text.generated += " UTC";
  for (const Filter& filter : spec.filters) text.filters.push_back(condition(filter, spec.dataset, local));
  return text;
}

}  // namespace longshore
