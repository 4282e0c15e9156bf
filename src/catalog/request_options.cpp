#include "catalog/request_options.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/closest_name.h"
#include "base/time_zone.h"

namespace longshore {

namespace {

/// The name that a request's time zone stands for; a finding and nullopt when there is no such zone.
std::optional<std::string> read_zone(const RequestFields& fields) {
  auto name = fields.text("timeZone");
  if (!name) return std::nullopt;
  const Status known = check_time_zone(*name);
  if (known) return name;
  fields.add("timeZone", known.error().code, known.error().message);
  return std::nullopt;
}

/// Why Excel would not take a sheet of this name; empty: it does (Microsoft support, "Rename a worksheet").
std::string sheet_name_fault(std::string_view name) {
  const std::vector<char32_t> points = code_points(name);
  std::size_t units = 0;
  for (const char32_t point : points) units += point > 0xFFFF ? 2 : 1;
  if (std::ranges::all_of(points, [](char32_t point) { return point == U' ' || point == 0xA0; })) {
    return "must not be blank; leave it out for the dataset's name";
  }
  if (units > kMaxSheetName) {
    return "may have at most " + std::to_string(kMaxSheetName) + " characters (most emoji count as two)";
  }
  if (std::ranges::any_of(points, is_control)) return "must not hold control characters or line breaks";
  if (name.find_first_of("[]:*?/\\") != std::string_view::npos) return "must not hold any of [ ] : * ? / \\";
  if (name.starts_with('\'') || name.ends_with('\'')) return "must not begin or end with an apostrophe";
  if (lower_case(std::string(name)) == "history") return "\"History\" is a name that Excel keeps to itself";
  return {};
}

}  // namespace

void RequestOptions::read(ExportSpec& spec) {
  read_csv(spec);
  read_parquet(spec);
  read_xlsx(spec);
  read_pdf(spec);
  read_time_zone(spec);
  read_title(spec);
}

const JsonValue* RequestOptions::options_of(const ExportSpec& spec, const char* format) {
  const JsonValue* options = request_.member(format, JsonValue::Kind::object, "an object");
  if (options != nullptr && !spec.format.empty() && spec.format != format) {
    request_.add(format, "not_available",
                 std::string(format) + " options need the format \"" + format + "\", not \"" + spec.format + "\"");
  }
  return options;
}

void RequestOptions::read_title(ExportSpec& spec) {
  const auto title = request_.text("title");
  if (!title) return;
  const std::vector<char32_t> points = code_points(*title);
  if (points.size() > kMaxTitle) {
    request_.add("title", "bad_value", "may have at most " + std::to_string(kMaxTitle) + " characters");
  } else if (std::ranges::any_of(points, is_control)) {
    request_.add("title", "bad_value", "must not hold control characters or line breaks");
  } else {
    spec.title = *title;
  }
}

void RequestOptions::read_time_zone(ExportSpec& spec) {
  const auto zone = read_zone(request_);
  if (zone) spec.time_zone = *zone;
  // An older place of the same option; the two must agree.
  const JsonValue* csv = request_.find("csv");
  if (csv == nullptr) return;
  const RequestFields fields(*csv, "/csv", findings_);
  const auto csv_zone = read_zone(fields);
  if (zone && csv_zone && *zone != *csv_zone) {
    fields.add("timeZone", "conflicting_options",
               "means the same as /timeZone, which says \"" + *zone + "\"; give one of them");
  } else if (csv_zone) {
    spec.time_zone = *csv_zone;
  }
}

void RequestOptions::read_csv(ExportSpec& spec) {
  const JsonValue* object = options_of(spec, "csv");
  if (object == nullptr) return;
  const RequestFields csv(*object, "/csv", findings_);
  CsvOptions& options = spec.csv;
  if (const auto delimiter = csv.text("delimiter")) {
    // Nothing that can occur in a number, a date or a quote: the file would read back as other columns.
    if (delimiter->size() == 1 && std::string_view(",;\t|").find(delimiter->front()) != std::string_view::npos) {
      options.delimiter = delimiter->front();
    } else {
      csv.add("delimiter", "bad_value", "use one of \",\", \";\", \"|\" and a tab (\"\\t\")");
    }
  }
  options.header = csv.flag("header").value_or(options.header);
  options.bom = csv.flag("bom").value_or(options.bom);
  options.profile = csv.choice<CsvProfile>("profile").value_or(options.profile);
  static constexpr std::string_view kEndings[] = {"crlf", "lf"};
  if (const auto ending = csv.word("lineEnding", kEndings)) options.crlf = *ending == 0;
  csv.check_names({"delimiter", "header", "bom", "profile", "timeZone", "lineEnding"});
}

void RequestOptions::read_parquet(ExportSpec& spec) {
  const JsonValue* object = options_of(spec, "parquet");
  if (object == nullptr) return;
  const RequestFields parquet(*object, "/parquet", findings_);
  ParquetOptions& options = spec.parquet;
  options.profile = parquet.choice<ParquetProfile>("profile").value_or(options.profile);
  options.codec = parquet.choice<ParquetCodec>("compression").value_or(options.codec);
  read_bloom_filters(parquet, spec);
  parquet.check_names({"profile", "compression", "bloomFilters"});
}

void RequestOptions::read_bloom_filters(const RequestFields& parquet, ExportSpec& spec) {
  const JsonValue* list = parquet.member("bloomFilters", JsonValue::Kind::array, "an array of column names");
  if (list == nullptr) return;
  std::vector<std::string> exported;
  std::map<std::string, DataType> types;
  exported.reserve(spec.columns.size());
  for (const Column& column : spec.columns) {
    exported.push_back(column.name);
    types.emplace(column.name, column.type);
  }
  for (std::size_t i = 0; i < list->children.size(); ++i) {
    const JsonValue& item = list->children[i];
    const std::string pointer = parquet.pointer("bloomFilters") + "/" + std::to_string(i);
    if (!item.is_string()) {
      findings_.add(pointer, "wrong_type", "must be a column's name");
    } else if (exported.empty()) {
      continue;  // which columns there are is a finding already
    } else if (std::ranges::find(exported, item.text) == exported.end()) {
      findings_.add(pointer, "unknown_column",
                    "no column of this name is exported" + did_you_mean(item.text, exported));
    } else if (std::ranges::find(spec.parquet.bloom_filters, item.text) != spec.parquet.bloom_filters.end()) {
      findings_.add(pointer, "duplicate_column", "the column \"" + item.text + "\" is named twice");
    } else if (!may_have_bloom_filter(types.at(item.text))) {
      findings_.add(pointer, "not_available",
                    "the column \"" + item.text + "\" is of type " + to_string(types.at(item.text)) +
                        "; columns of bool, floating-point and array types have no bloom filter");
    } else {
      spec.parquet.bloom_filters.push_back(item.text);
    }
  }
}

void RequestOptions::read_xlsx(ExportSpec& spec) {
  const JsonValue* object = options_of(spec, "xlsx");
  if (object == nullptr) return;
  const RequestFields xlsx(*object, "/xlsx", findings_);
  XlsxOptions& options = spec.xlsx;
  if (const auto name = xlsx.text("sheetName")) {
    const std::string fault = sheet_name_fault(*name);
    if (fault.empty()) {
      options.sheet_name = *name;
    } else {
      xlsx.add("sheetName", "bad_value", fault);
    }
  }
  options.table_style = xlsx.choice<XlsxTableStyle>("tableStyle").value_or(options.table_style);
  xlsx.check_names({"sheetName", "tableStyle"});
}

void RequestOptions::read_pdf(ExportSpec& spec) {
  const JsonValue* object = options_of(spec, "pdf");
  if (object == nullptr) return;
  const RequestFields pdf(*object, "/pdf", findings_);
  PdfOptions& options = spec.pdf;
  options.orientation = pdf.choice<PdfOrientation>("orientation").value_or(options.orientation);
  options.page_size = pdf.choice<PdfPageSize>("pageSize").value_or(options.page_size);
  pdf.check_names({"orientation", "pageSize"});
}

}  // namespace longshore
