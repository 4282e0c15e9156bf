#include "catalog/request.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/closest_name.h"
#include "catalog/json_document.h"
#include "catalog/literal.h"
#include "catalog/request_fields.h"
#include "catalog/request_filters.h"
#include "catalog/request_findings.h"
#include "catalog/request_options.h"

namespace longshore {

namespace {

/// Reads one request; used once.
class RequestReader {
 public:
  RequestReader(const JsonValue& json, const Catalog& catalog, const Principal& who,
                const std::vector<FormatChoice>& formats)
      : json_(json), catalog_(catalog), who_(who), formats_(formats), fields_(json, "", findings_) {}

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
    read_consistency(dataset);
    RequestOptions(fields_, findings_).read(spec_);
    read_notify();
    fields_.check_names({"exportType", "format", "filters", "columns", "compression", "consistency", "csv", "parquet",
                         "xlsx", "pdf", "timeZone", "title", "notify"});
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
  void read_consistency(const Dataset* dataset);
  void read_notify();

  const JsonValue& json_;
  const Catalog& catalog_;
  const Principal& who_;
  const std::vector<FormatChoice>& formats_;
  RequestFindings findings_;
  const RequestFields fields_;
  ExportSpec spec_;
  bool forbidden_ = false;
};

const Dataset* RequestReader::read_dataset() {
  if (json_.find("exportType") == nullptr) {
    findings_.add("/exportType", "missing_field", "exportType is required: the name of a dataset");
    return nullptr;
  }
  const auto name = fields_.text("exportType");
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
  } else if (const auto name = fields_.text("format")) {
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
  spec_.compression = fields_.choice<Compression>("compression").value_or(Compression::none);
  if (format != nullptr && !format->compressible && spec_.compression != Compression::none) {
    findings_.add("/compression", "not_available",
                  "the format \"" + format->name + "\" is compressed by itself; use \"none\"");
  }
}

void RequestReader::read_consistency(const Dataset* dataset) {
  const auto consistency = fields_.choice<Consistency>("consistency");
  if (dataset == nullptr) return;
  const std::vector<Consistency>& allowed = dataset->consistencies;
  spec_.consistency = consistency.value_or(allowed.front());
  if (std::ranges::find(allowed, spec_.consistency) != allowed.end()) return;
  std::string list;
  for (const Consistency mode : allowed) {
    list += list.empty() ? "\"" : ", \"";
    list += std::string(to_string(mode)) + "\"";
  }
  findings_.add("/consistency", "not_available",
                "\"" + std::string(to_string(spec_.consistency)) + "\" is not available for this dataset; use " + list +
                    " or leave it out");
}

void RequestReader::read_notify() {
  const JsonValue* object = fields_.member("notify", JsonValue::Kind::object, "an object");
  if (object == nullptr) return;
  const RequestFields notify(*object, "/notify", findings_);
  const char* not_configured = "notifications are not configured on this server; leave this out";
  if (const auto* emails = notify.member("emails", JsonValue::Kind::array, "an array of addresses");
      emails != nullptr && !emails->children.empty()) {
    notify.add("emails", "not_available", not_configured);
  }
  if (notify.flag("webhook").value_or(false)) notify.add("webhook", "not_available", not_configured);
  notify.check_names({"emails", "webhook"});
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
