#include "cli/export_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <filesystem>
#include <utility>

namespace longshore {
namespace {

namespace json = boost::json;

Error bad_filter(std::string_view text, std::string_view why) {
  return user_error("bad_arguments", fmt::format("--filter '{}': {}", text, why));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Cuts at commas that no backslash precedes, and takes the backslashes away.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> values(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == ',' || text[i + 1] == '\\')) {
      values.back() += text[++i];
    } else if (text[i] == ',') {
      values.emplace_back();
    } else {
      values.back() += text[i];
    }
  }
  return values;
}

/// `text` as the JSON that a column of `type` wants. What does not look like it stays a string, so that the server's
/// message shows what was typed.
json::value literal(const std::string& text, const DataType* type) {
  if (type == nullptr) return json::string(text);
  const char* end = text.data() + text.size();
  switch (type->logical) {
    case LogicalType::boolean:
      if (text == "true" || text == "false") return text == "true";
      break;
    case LogicalType::int16:
    case LogicalType::int32:
    case LogicalType::int64: {
      std::int64_t number = 0;
      const auto [stop, error] = std::from_chars(text.data(), end, number);
      if (error == std::errc() && stop == end) return number;
      break;
    }
    case LogicalType::float32:
    case LogicalType::float64: {
      double number = 0;
      const auto [stop, error] = std::from_chars(text.data(), end, number);
      if (error == std::errc() && stop == end) return number;
      break;
    }
    default:  // decimals too: a JSON number would go through a double on its way
      break;
  }
  return json::string(text);
}

Status add_filter(json::object& filters, const FilterExpression& filter, const DataType* type) {
  json::value* present = filters.if_contains(filter.name);
  if (filter.op == "eq" || filter.op == "is_null") {
    if (present != nullptr) {
      return fail(user_error("bad_arguments",
                             fmt::format("two filters on {} that exclude each other; for one of several values write "
                                         "--filter '{}=a,b'",
                                         filter.name, filter.name)));
    }
    if (filter.op == "is_null") {
      filters[filter.name] = nullptr;
      return {};
    }
    if (filter.values.size() == 1) {
      filters[filter.name] = literal(filter.values.front(), type);
      return {};
    }
    json::array list;
    for (const std::string& value : filter.values) list.push_back(literal(value, type));
    filters[filter.name] = std::move(list);
    return {};
  }
  if (present == nullptr) present = &(filters[filter.name] = json::object());
  if (!present->is_object() || present->get_object().contains(filter.op)) {
    return fail(user_error("bad_arguments", fmt::format("two filters on {} that exclude each other", filter.name)));
  }
  present->get_object()[filter.op] = literal(filter.values.front(), type);
  return {};
}

Result<json::object> all_filters(const ExportArguments& arguments, const std::map<std::string, DataType>& types) {
  json::object filters;
  if (!arguments.filters_json.empty()) {
    boost::system::error_code broken;
    json::value parsed = json::parse(arguments.filters_json, broken);
    if (broken || !parsed.is_object()) {
      return fail(user_error("bad_arguments", "--filters is not a JSON object, e.g. '{\"status\":{\"gte\":400}}'"));
    }
    filters = std::move(parsed.get_object());
  }
  for (const std::string& text : arguments.filters) {
    TRY(const FilterExpression filter, parse_filter(text));
    const auto type = types.find(filter.name);
    CHECK_OK(add_filter(filters, filter, type == types.end() ? nullptr : &type->second));
  }
  if (!arguments.from.empty()) filters["from"] = arguments.from;
  if (!arguments.to.empty()) filters["to"] = arguments.to;
  return filters;
}

/// The object of a format's options, if any is given.
void add_options(json::object& body, const char* format,
                 const std::vector<std::pair<const char*, std::string>>& options) {
  json::object object;
  for (const auto& [name, value] : options) {
    if (!value.empty()) object[name] = value;
  }
  if (!object.empty()) body[format] = std::move(object);
}

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

void guess_from_name(const std::string& file, const std::vector<std::string>& formats, ExportArguments& arguments) {
  const std::filesystem::path name = lower_case(std::filesystem::path(file).filename());
  std::string extension = name.extension();
  std::string compression;
  if (extension == ".gz") compression = "gzip";
  if (extension == ".zst") compression = "zstd";
  if (!compression.empty()) extension = name.stem().extension();
  if (extension == ".ndjson") extension = ".jsonl";
  if (arguments.compression.empty()) arguments.compression = compression;
  if (!arguments.format.empty()) return;
  const bool known = !extension.empty() && std::ranges::find(formats, extension.substr(1)) != formats.end();
  arguments.format = known ? extension.substr(1) : "csv";
}

Result<FilterExpression> parse_filter(std::string_view text) {
  const auto at = text.find_first_of("<>=!");
  constexpr std::string_view kIsNull = " is null";
  if (const std::string_view whole = trimmed(text); at == text.npos && whole.ends_with(kIsNull)) {
    return FilterExpression{std::string(trimmed(whole.substr(0, whole.size() - kIsNull.size()))), "is_null", {}};
  }
  if (at == text.npos) {
    return fail(bad_filter(text,
                           "no operator; write NAME=VALUE, NAME=A,B, NAME>=VALUE, NAME>VALUE, NAME<=VALUE, "
                           "NAME<VALUE or \"NAME is null\""));
  }
  const std::string_view name = trimmed(text.substr(0, at));
  if (name.empty()) return fail(bad_filter(text, "the name of a filter is missing before the operator"));
  const char first = text[at];
  const bool or_equal = first != '=' && at + 1 < text.size() && text[at + 1] == '=';
  if (first == '!') return fail(bad_filter(text, "there is no \"not\"; say which values are wanted"));
  const std::size_t value_at = at + (or_equal ? 2 : 1) + (first == '=' && text.substr(at).starts_with("==") ? 1 : 0);
  const std::string_view value = text.substr(value_at);

  FilterExpression filter{std::string(name), {}, {}};
  if (first == '=') {
    filter.op = "eq";
    filter.values = split_list(value);  // nothing after `=` asks for the empty text
    return filter;
  }
  filter.op = first == '>' ? (or_equal ? "gte" : "gt") : (or_equal ? "lte" : "lt");
  filter.values = {std::string(trimmed(value))};
  if (filter.values.front().empty()) return fail(bad_filter(text, "the value is missing after the operator"));
  return filter;
}

Result<std::string> request_body(const ExportArguments& arguments, const std::map<std::string, DataType>& types) {
  TRY(json::object filters, all_filters(arguments, types));
  json::object body{{"exportType", arguments.dataset}, {"format", arguments.format}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) body[name] = value;
  };
  add("compression", arguments.compression);
  add("consistency", arguments.consistency);
  add("title", arguments.title);
  add("timeZone", arguments.time_zone);
  if (!filters.empty()) body["filters"] = std::move(filters);
  if (!arguments.columns.empty()) body["columns"] = json::array(arguments.columns.begin(), arguments.columns.end());
  // What goes with another format is sent all the same: the server knows the rules and says what is wrong.
  const std::string delimiter = arguments.csv_delimiter == "\\t" ? "\t" : arguments.csv_delimiter;
  add_options(body, "csv", {{"profile", arguments.csv_profile}, {"delimiter", delimiter}});
  add_options(body, "parquet",
              {{"profile", arguments.parquet_profile}, {"compression", arguments.parquet_compression}});
  add_options(body, "xlsx", {{"sheetName", arguments.xlsx_sheet_name}, {"tableStyle", arguments.xlsx_table_style}});
  add_options(body, "pdf", {{"orientation", arguments.pdf_orientation}, {"pageSize", arguments.pdf_page_size}});
  if (const auto& columns = arguments.parquet_bloom_filters; !columns.empty()) {
    json::value& parquet = body["parquet"];
    if (!parquet.is_object()) parquet = json::object();
    parquet.get_object()["bloomFilters"] = json::array(columns.begin(), columns.end());
  }
  return json::serialize(body);
}

}  // namespace longshore
