#include "catalog/request.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "base/closest_name.h"
#include "catalog/json_document.h"
#include "catalog/literal.h"
#include "catalog/request_filters.h"
#include "catalog/request_findings.h"

namespace longshore {

namespace {

constexpr std::size_t kMaxTitle = 200;  // characters

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool is_control(std::uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) || code_point == 0x2028 || code_point == 0x2029;
}

/// The characters of valid UTF-8 (Boost.JSON lets nothing else through).
std::vector<std::uint32_t> code_points(std::string_view text) {
  std::vector<std::uint32_t> points;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80 && !points.empty()) {
      points.back() = (points.back() << 6) | (byte & 0x3FU);
    } else {
      points.push_back(byte < 0x80 ? byte : byte < 0xE0 ? byte & 0x1FU : byte < 0xF0 ? byte & 0x0FU : byte & 0x07U);
    }
  }
  return points;
}

/// Reads one request; used once.
class RequestReader {
 public:
  RequestReader(const JsonValue& json, const Catalog& catalog, const Principal& who,
                const std::vector<FormatChoice>& formats)
      : json_(json), catalog_(catalog), who_(who), formats_(formats) {}

  Result<ExportSpec> read() {
    for (const std::string& pointer : duplicate_members(json_)) {
      findings_.add(pointer, "duplicate_key", "the object has two members of this name");
    }
    const Dataset* dataset = read_dataset();
    // Without the permission for the dataset, nothing else about it is told.
    if (forbidden_) return fail(findings_.take());
    if (dataset != nullptr) {
      read_tenant(*dataset);
      read_filters(*dataset);
      read_columns(*dataset);
      spec_.dataset = *dataset;
    }
    read_format();
    read_consistency();
    read_csv();
    read_notify();
    read_title();
    check_names(json_, "",
                {"exportType", "format", "filters", "columns", "compression", "consistency", "csv", "notify", "title"});
    if (!findings_.empty()) return fail(findings_.take());
    return std::move(spec_);
  }

 private:
  const Dataset* read_dataset();
  void read_tenant(const Dataset& dataset);
  void read_filters(const Dataset& dataset);
  void read_columns(const Dataset& dataset);
  void add_column(const Dataset& dataset, const JsonValue& item, const std::string& pointer);
  void read_format();
  void read_compression(const FormatChoice* format);
  void read_consistency();
  void read_csv();
  void read_delimiter(const JsonValue& csv);
  void read_notify();
  void read_title();

  void check_names(const JsonValue& object, const std::string& pointer, const std::vector<std::string>& known);
  const JsonValue* member(const JsonValue& object, const std::string& pointer, const char* name, JsonValue::Kind kind,
                          const char* expected);
  std::optional<std::string> text(const JsonValue& object, const std::string& pointer, const char* name);
  /// One of `words`, in any case.
  std::optional<std::string> word(const JsonValue& object, const std::string& pointer, const char* name,
                                  const std::vector<std::string>& words);

  const JsonValue& json_;
  const Catalog& catalog_;
  const Principal& who_;
  const std::vector<FormatChoice>& formats_;
  RequestFindings findings_;
  ExportSpec spec_;
  bool forbidden_ = false;
};

const Dataset* RequestReader::read_dataset() {
  if (json_.find("exportType") == nullptr) {
    findings_.add("/exportType", "missing_field", "exportType is required: the name of a dataset");
    return nullptr;
  }
  const auto name = text(json_, "", "exportType");
  if (!name) return nullptr;
  const Dataset* dataset = catalog_.find_dataset(*name);
  if (dataset == nullptr) {
    std::vector<std::string> names;
    for (const Dataset& one : catalog_.datasets()) {
      if (who_.may(one.permission)) names.push_back(one.name);
    }
    findings_.add("/exportType", "unknown_dataset", "there is no dataset of this name" + did_you_mean(*name, names));
    return nullptr;
  }
  if (!who_.may(dataset->permission)) {
    findings_ = {};
    findings_.add("/exportType", "permission_denied",
                  "exporting \"" + dataset->name + "\" needs the permission \"" + dataset->permission + "\"");
    forbidden_ = true;
  }
  return dataset;
}

void RequestReader::read_tenant(const Dataset& dataset) {
  auto tenant = read_literal(who_.tenant.str(), dataset.tenant_type);
  if (tenant && !tenant->text.empty()) {
    spec_.tenant = std::move(tenant->text);
    return;
  }
  findings_.add("/exportType", "unknown_tenant",
                "your tenant's id is not of the type that \"" + dataset.name + "\" tells tenants apart by (" +
                    to_string(dataset.tenant_type) + "), so none of its rows can be yours");
}

void RequestReader::read_filters(const Dataset& dataset) {
  const JsonValue* filters = json_.find("filters");
  if (filters != nullptr) spec_.filters = RequestFilters(dataset, who_, findings_).read(*filters);
}

void RequestReader::read_columns(const Dataset& dataset) {
  const JsonValue* columns = json_.find("columns");
  if (columns == nullptr) {
    spec_.columns = visible_columns(dataset, who_);
    if (spec_.columns.empty()) {
      findings_.add("/columns", "permission_denied",
                    "every column of \"" + dataset.name +
                        "\" needs a permission that "
                        "you do not have");
    }
    return;
  }
  if (!columns->is_array()) {
    findings_.add("/columns", "wrong_type", "must be an array of column names");
    return;
  }
  if (columns->children.empty()) {
    findings_.add("/columns", "empty_list", "name at least one column, or leave columns out for all that you may see");
  }
  for (std::size_t i = 0; i < columns->children.size(); ++i) {
    add_column(dataset, columns->children[i], "/columns/" + std::to_string(i));
  }
}

void RequestReader::add_column(const Dataset& dataset, const JsonValue& item, const std::string& pointer) {
  if (!item.is_string()) {
    findings_.add(pointer, "wrong_type", "must be a column's name");
    return;
  }
  const Column* column = dataset.find_column(item.text);
  if (column == nullptr) {
    std::vector<std::string> names;
    for (const Column& one : visible_columns(dataset, who_)) names.push_back(one.name);
    findings_.add(pointer, "unknown_column",
                  "dataset \"" + dataset.name + "\" has no column of this name" + did_you_mean(item.text, names));
  } else if (!who_.may(column->permission)) {
    findings_.add(pointer, "permission_denied",
                  "the column \"" + column->name + "\" needs the permission \"" + column->permission + "\"");
  } else if (std::any_of(spec_.columns.begin(), spec_.columns.end(),
                         [&](const Column& one) { return one.name == column->name; })) {
    findings_.add(pointer, "duplicate_column", "the column \"" + column->name + "\" is named twice");
  } else {
    spec_.columns.push_back(*column);
  }
}

void RequestReader::read_format() {
  const FormatChoice* format = nullptr;
  if (json_.find("format") == nullptr) {
    findings_.add("/format", "missing_field", "format is required, e.g. \"csv\"");
  } else if (const auto name = text(json_, "", "format")) {
    std::vector<std::string> names;
    std::string list;
    for (const FormatChoice& one : formats_) {
      if (one.name == lower_case(*name)) format = &one;
      names.push_back(one.name);
      list += (list.empty() ? "" : ", ") + one.name;
    }
    if (format == nullptr) {
      findings_.add("/format", "unknown_format", "there is no format of this name; available: " + list);
    } else {
      spec_.format = format->name;
    }
  }
  read_compression(format);
}

void RequestReader::read_compression(const FormatChoice* format) {
  const auto name = word(json_, "", "compression", {"none", "gzip", "zstd"});
  if (!name) return;
  spec_.compression = parse_compression(*name).value_or(Compression::none);
  if (format != nullptr && !format->compressible && spec_.compression != Compression::none) {
    findings_.add("/compression", "not_available",
                  "the format \"" + format->name + "\" is compressed by itself; use \"none\"");
  }
}

void RequestReader::read_consistency() {
  const auto name = word(json_, "", "consistency", {"best_effort", "snapshot", "materialized"});
  if (name && *name != "best_effort") {
    findings_.add("/consistency", "not_available",
                  "\"" + *name + "\" is not available for this dataset yet; use \"best_effort\" or leave it out");
  }
}

void RequestReader::read_csv() {
  const JsonValue* csv = member(json_, "", "csv", JsonValue::Kind::object, "an object");
  if (csv == nullptr) return;
  if (!spec_.format.empty() && spec_.format != "csv") {
    findings_.add("/csv", "not_available", "csv options need the format \"csv\", not \"" + spec_.format + "\"");
  }
  read_delimiter(*csv);
  if (const auto* header = member(*csv, "/csv", "header", JsonValue::Kind::boolean, "true or false")) {
    spec_.csv.header = header->boolean;
  }
  if (const auto* bom = member(*csv, "/csv", "bom", JsonValue::Kind::boolean, "true or false")) {
    spec_.csv.bom = bom->boolean;
  }
  if (const auto profile = word(*csv, "/csv", "profile", {"spreadsheet", "machine"})) {
    spec_.csv.profile = *profile == "machine" ? CsvProfile::machine : CsvProfile::spreadsheet;
  }
  if (const auto ending = word(*csv, "/csv", "lineEnding", {"crlf", "lf"})) spec_.csv.crlf = *ending == "crlf";
  if (const auto zone = text(*csv, "/csv", "timeZone"); zone && *zone != "UTC") {
    findings_.add("/csv/timeZone", "not_available", "times are written in UTC; other zones are not available yet");
  }
  check_names(*csv, "/csv", {"delimiter", "header", "bom", "profile", "timeZone", "lineEnding"});
}

void RequestReader::read_delimiter(const JsonValue& csv) {
  const auto delimiter = text(csv, "/csv", "delimiter");
  if (!delimiter) return;
  // Nothing that can occur in a number, a date or a quote: the file would read back as other columns.
  if (delimiter->size() != 1 || std::string_view(",;\t|").find(delimiter->front()) == std::string_view::npos) {
    findings_.add("/csv/delimiter", "bad_value", "use one of \",\", \";\", \"|\" and a tab (\"\\t\")");
    return;
  }
  spec_.csv.delimiter = delimiter->front();
}

void RequestReader::read_notify() {
  const JsonValue* notify = member(json_, "", "notify", JsonValue::Kind::object, "an object");
  if (notify == nullptr) return;
  const char* not_configured = "notifications are not configured on this server; leave this out";
  if (const auto* emails = member(*notify, "/notify", "emails", JsonValue::Kind::array, "an array of addresses");
      emails != nullptr && !emails->children.empty()) {
    findings_.add("/notify/emails", "not_available", not_configured);
  }
  if (const auto* webhook = member(*notify, "/notify", "webhook", JsonValue::Kind::boolean, "true or false");
      webhook != nullptr && webhook->boolean) {
    findings_.add("/notify/webhook", "not_available", not_configured);
  }
  check_names(*notify, "/notify", {"emails", "webhook"});
}

void RequestReader::read_title() {
  const auto title = text(json_, "", "title");
  if (!title) return;
  const std::vector<std::uint32_t> points = code_points(*title);
  if (points.size() > kMaxTitle) {
    findings_.add("/title", "bad_value", "may have at most " + std::to_string(kMaxTitle) + " characters");
  } else if (std::any_of(points.begin(), points.end(), is_control)) {
    findings_.add("/title", "bad_value", "must not hold control characters or line breaks");
  } else {
    spec_.title = *title;
  }
}

void RequestReader::check_names(const JsonValue& object, const std::string& pointer,
                                const std::vector<std::string>& known) {
  for (const JsonValue& one : object.children) {
    if (std::find(known.begin(), known.end(), one.key) != known.end()) continue;
    findings_.add(json_pointer(pointer, one.key), "unknown_field",
                  "there is no field of this name" + did_you_mean(one.key, known));
  }
}

const JsonValue* RequestReader::member(const JsonValue& object, const std::string& pointer, const char* name,
                                       JsonValue::Kind kind, const char* expected) {
  const JsonValue* found = object.find(name);
  if (found == nullptr || found->kind == kind) return found;
  findings_.add(json_pointer(pointer, name), "wrong_type", std::string("must be ") + expected);
  return nullptr;
}

std::optional<std::string> RequestReader::text(const JsonValue& object, const std::string& pointer, const char* name) {
  const JsonValue* found = member(object, pointer, name, JsonValue::Kind::string, "a string");
  return found == nullptr ? std::nullopt : std::optional<std::string>(found->text);
}

std::optional<std::string> RequestReader::word(const JsonValue& object, const std::string& pointer, const char* name,
                                               const std::vector<std::string>& words) {
  const auto given = text(object, pointer, name);
  if (!given) return std::nullopt;
  const std::string lower = lower_case(*given);
  if (std::find(words.begin(), words.end(), lower) != words.end()) return lower;
  std::string list;
  for (const std::string& one : words) list += (list.empty() ? "\"" : ", \"") + one + "\"";
  findings_.add(json_pointer(pointer, name), "bad_value", "must be one of " + list);
  return std::nullopt;
}

}  // namespace

Result<ExportSpec> validate_request(std::string_view body, const Catalog& catalog, const Principal& who,
                                    const std::vector<FormatChoice>& formats) {
  TRY(const JsonValue json, parse_json(body));
  if (!json.is_object()) return fail(user_error("malformed_request", "the body must be a JSON object"));
  return RequestReader(json, catalog, who, formats).read();
}

std::vector<Column> visible_columns(const Dataset& dataset, const Principal& who) {
  std::vector<Column> visible;
  std::copy_if(dataset.columns.begin(), dataset.columns.end(), std::back_inserter(visible),
               [&](const Column& column) { return who.may(column.permission); });
  return visible;
}

}  // namespace longshore
