#include "http/dataset_routes.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <utility>

#include "base/closest_name.h"
#include "catalog/names.h"
#include "catalog/request_options.h"
#include "http/json_text.h"

namespace longshore {

namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::array columns_of(const Dataset& dataset) {
  json::array columns;
  for (const Column& column : dataset.columns) {
    columns.push_back(json::object{{"name", column.name},
                                   {"type", to_string(column.type)},
                                   {"classification", text_or_null(column.classification)},
                                   {"filterable", column.filterable}});
  }
  return columns;
}

json::array filters_of(const Dataset& dataset) {
  json::array filters;
  for (const Column& column : dataset.columns) {
    if (!column.filterable) continue;
    json::array operators{"eq", "in", "is_null"};
    if (is_ordered(column.type.logical)) operators.insert(operators.end(), {"gte", "gt", "lte", "lt"});
    filters.push_back(
        json::object{{"name", column.name}, {"type", to_string(column.type)}, {"operators", std::move(operators)}});
  }
  return filters;
}

json::object option(json::value values, json::value fallback) {
  return {{"values", std::move(values)}, {"default", std::move(fallback)}};
}

/// An option that is a word, by its enumeration and default.
template <class Enum>
json::object words(Enum fallback) {
  const auto names = names_of<Enum>();
  return option(json::array(names.begin(), names.end()), json::string(to_string(fallback)));
}

/// An option that is any text, an empty one by default.
json::object text(std::size_t longest) {
  json::object any = option(nullptr, nullptr);
  any["maxLength"] = longest;
  return any;
}

/// The options of the request's object of a format, as catalog/ accepts them.
json::object options_of(const std::string& format) {
  if (format == "csv") {
    const CsvOptions defaults;
    const json::array either{true, false};
    return {{"delimiter", option(json::array{",", ";", "\t", "|"}, json::string(1, defaults.delimiter))},
            {"header", option(either, defaults.header)},
            {"bom", option(either, defaults.bom)},
            {"profile", words(defaults.profile)},
            {"lineEnding", option(json::array{"crlf", "lf"}, defaults.crlf ? "crlf" : "lf")}};
  }
  if (format == "parquet") {
    const ParquetOptions defaults;
    return {{"profile", words(defaults.profile)},
            {"compression", words(defaults.codec)},
            {"bloomFilters", option(nullptr, json::array())}};
  }
  if (format == "xlsx") {
    return {{"sheetName", text(kMaxSheetName)}, {"tableStyle", words(XlsxOptions().table_style)}};
  }
  if (format == "pdf") {
    const PdfOptions defaults;
    return {{"orientation", words(defaults.orientation)}, {"pageSize", words(defaults.page_size)}};
  }
  return {};
}

/// How the rows may belong together, the default first.
json::object consistencies_of(const Dataset& dataset) {
  json::array words;
  for (const Consistency consistency : dataset.consistencies) words.emplace_back(to_string(consistency));
  return option(std::move(words), json::string(to_string(dataset.consistencies.front())));
}

json::value limit_or_null(std::int64_t limit) {
  return limit == 0 ? json::value(nullptr) : json::value(limit);
}

json::array formats_of(const std::vector<FormatView>& formats) {
  json::array out;
  for (const FormatView& format : formats) {
    out.push_back(json::object{
        {"name", format.name},
        {"contentType", format.content_type},
        {"extension", format.extension},
        {"compressions", json::array(format.compressions.begin(), format.compressions.end())},
        {"maxRows", limit_or_null(format.max_rows)},
        {"maxRowsPerSheet", limit_or_null(format.sheet_rows)},
        {"options", options_of(format.name)},
    });
  }
  return out;
}

json::object dataset_object(const Dataset& dataset, const std::vector<FormatView>& formats) {
  const auto retention = std::chrono::duration_cast<std::chrono::seconds>(dataset.retention).count();
  return {
      {"name", dataset.name},
      {"description", text_or_null(dataset.description)},
      {"columns", columns_of(dataset)},
      {"timeFilter",
       dataset.time_column.empty() ? json::value(nullptr) : json::value(json::array{"from", "to", "date_range"})},
      {"filters", filters_of(dataset)},
      {"formats", formats_of(formats)},
      {"options", json::object{{"title", text(kMaxTitle)},
                               {"timeZone", option(nullptr, json::string(ExportSpec().time_zone))},
                               {"consistency", consistencies_of(dataset)}}},
      {"limits", json::object{{"maxBodyBytes", 1 << 20}, {"retentionSeconds", retention}}},
  };
}

}  // namespace

std::string dataset_json(const Dataset& dataset, const std::vector<FormatView>& formats) {
  return to_text(dataset_object(dataset, formats));
}

std::string datasets_json(const std::vector<Dataset>& datasets, const std::vector<FormatView>& formats) {
  json::array out;
  for (const Dataset& dataset : datasets) out.push_back(dataset_object(dataset, formats));
  return to_text(json::object{{"datasets", std::move(out)}});
}

void append_dataset_routes(Router& router, const ApiContext& context, ExportService& service,
                           const std::vector<FormatView>& formats) {
  router.add("GET", "/v1/datasets",
             for_principal(context, [&service, formats](const Request&, const Principal& who) -> Result<Response> {
               return json_response(200, datasets_json(service.datasets(who), formats));
             }));
  router.add(
      "GET", "/v1/datasets/{name}",
      for_principal(context, [&service, formats](const Request& request, const Principal& who) -> Result<Response> {
        const std::vector<Dataset> datasets = service.datasets(who);
        const std::string& name = request.parameter("name");
        const auto found = std::ranges::find(datasets, name, &Dataset::name);
        if (found != datasets.end()) return json_response(200, dataset_json(*found, formats));
        std::vector<std::string> names;
        names.reserve(datasets.size());
        for (const Dataset& dataset : datasets) names.push_back(dataset.name);
        return fail(user_error("dataset_not_found", "There is no dataset '" + name + "' that you may export" +
                                                        did_you_mean(name, names) + "."));
      }));
}

}  // namespace longshore
