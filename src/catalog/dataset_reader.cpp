#include "catalog/dataset_reader.h"

#include <algorithm>
#include <utility>

#include "base/closest_name.h"
#include "catalog/names.h"
#include "model/export_spec.h"

namespace longshore {

using namespace std::chrono_literals;

namespace {

constexpr auto kDefaultRetention = std::chrono::days(7);

std::string quoted(const std::string& word) {
  return "\"" + word + "\"";
}

std::vector<std::string> type_names() {
  return {"bool", "int16", "int32", "int64",     "float32",     "float64",  "numeric", "numeric(12,2)", "text",
          "uuid", "date",  "time",  "timestamp", "timestamptz", "interval", "json",    "bytea",         "text[]"};
}

/// The masks that the catalog's language has. None is applied yet: see check_mask().
std::vector<std::string> mask_names() {
  return {"null", "redact", "hash", "truncate_ip", "last4", "generalise_date"};
}

}  // namespace

DatasetReader::DatasetReader(const YamlNode& node, const std::vector<Source>& sources, YamlFindings& findings)
    : node_(node), sources_(sources), findings_(findings), fields_(node, "dataset " + quoted(node.key), findings) {}

Dataset DatasetReader::read() {
  dataset_.name = node_.key;
  if (!is_dataset_name(node_.key)) {
    findings_.add(node_.key_position, "bad_name", quoted(node_.key) + " cannot name a dataset; " + kDatasetNameRule);
  }
  if (!node_.is_map()) return std::move(dataset_);
  read_place();
  read_strategies();
  dataset_.description = fields_.text("description").value_or("");
  dataset_.permission = fields_.text("permission").value_or("exports." + dataset_.name);
  dataset_.retention = fields_.duration("retention", 1min, std::chrono::days(3650)).value_or(kDefaultRetention);
  dataset_.exact_boundaries = fields_.choice("boundaries", {"cheap", "exact"}) == "exact";
  dataset_.unique_key_declared = fields_.choice("unique_key", {"proved", "declared"}) == "declared";
  // Columns and declared types first: the key, the tenant and the time take their types from them.
  read_columns();
  read_declared_types();
  read_key();
  read_tenant();
  read_time();
  read_subject();
  read_filters();
  report_unused_types();
  fields_.finish();
  return std::move(dataset_);
}

void DatasetReader::read_place() {
  if (const YamlNode* node = fields_.require("source")) {
    dataset_.source = fields_.text("source").value_or("");
    const bool known = std::ranges::find(sources_, dataset_.source, &Source::name) != sources_.end();
    if (!dataset_.source.empty() && !known) {
      std::vector<std::string> names;
      names.reserve(sources_.size());
      for (const Source& source : sources_) names.push_back(source.name);
      findings_.add(node->position, "unknown_source",
                    "there is no source " + quoted(dataset_.source) + did_you_mean(dataset_.source, names));
    }
  }
  if (const YamlNode* node = fields_.require("relation")) {
    dataset_.relation = fields_.text("relation").value_or("");
    if (!dataset_.relation.empty() && !is_relation_name(dataset_.relation)) {
      findings_.add(node->position, "bad_name",
                    quoted(dataset_.relation) +
                        " is not a table's or view's name; write "
                        "it as name or schema.name");
    }
  }
}

void DatasetReader::read_strategies() {
  if (const auto policy = fields_.choice("on_snapshot_loss", {"restart", "fail"})) {
    dataset_.on_snapshot_loss = policy == "fail" ? SnapshotLoss::fail : SnapshotLoss::restart;
  }
  const auto modes = fields_.texts("consistency");
  if (!modes) return;
  const auto known = names_of<Consistency>();
  std::vector<Consistency> allowed;
  for (const YamlNode& item : *modes) {
    const auto mode = parse_consistency(item.text);
    if (!mode) {
      findings_.add(item.position, "bad_value",
                    quoted(item.text) + " is no consistency; use " +
                        join_words(std::vector<std::string>(known.begin(), known.end())));
    } else if (std::ranges::find(allowed, *mode) != allowed.end()) {
      findings_.add(item.position, "bad_value", quoted(item.text) + " is in \"consistency\" twice");
    } else {
      check_strategy(item, *mode);
      allowed.push_back(*mode);
    }
  }
  if (modes->empty()) {
    findings_.add(fields_.position(), "bad_value", "\"consistency\" is an empty list; name one or remove the line");
    return;
  }
  if (!allowed.empty()) dataset_.consistencies = std::move(allowed);
}

/// That the dataset's source can do it.
void DatasetReader::check_strategy(const YamlNode& item, Consistency mode) {
  const auto source = std::ranges::find(sources_, dataset_.source, &Source::name);
  if (mode == Consistency::best_effort || source == sources_.end()) return;
  if (mode == Consistency::materialized) {
    if (source->driver != SourceDriver::postgres) {
      findings_.add(item.position, "not_available",
                    "source " + quoted(source->name) +
                        " is not PostgreSQL, and rows are copied to a staging schema only there; use "
                        "\"best_effort\"");
    } else if (!source->staging) {
      findings_.add(item.position, "missing_field",
                    "\"materialized\" copies the rows to a schema of source " + quoted(source->name) +
                        ", which names none; write staging: { schema: … } there, or use \"snapshot\"");
    }
  } else if (source->driver == SourceDriver::postgres && source->max_connections < 2) {
    findings_.add(item.position, "bad_value",
                  "a snapshot needs connections that keep it beside one that reads; let source " +
                      quoted(source->name) + " have max_connections: 3 or more (2 will do, with a single keeper)");
  }
}

void DatasetReader::read_columns() {
  const YamlNode* columns = fields_.require("columns");
  if (columns == nullptr) return;
  if (!columns->is_map() || columns->children.empty()) {
    findings_.add(columns->position, "wrong_type",
                  "\"columns\" must be a map of API names and columns, with at least one");
    return;
  }
  for (const YamlNode& child : columns->children) {
    if (auto column = read_column(child)) dataset_.columns.push_back(*std::move(column));
  }
}

std::optional<Column> DatasetReader::read_column(const YamlNode& node) {
  if (!is_column_name(node.key)) {
    findings_.add(node.key_position, "bad_name", quoted(node.key) + " cannot name a column; " + kColumnNameRule);
  }
  Column column;
  column.name = node.key;
  column.source = node.key;
  YamlFields fields(node, "column " + quoted(node.key), findings_);
  if (!node.is_map()) return std::nullopt;
  if (const YamlNode* source = fields.find("column")) column.source = source_column(*source, "\"column\"");
  const YamlNode* type_node = fields.require("type");
  const auto type = type_node == nullptr ? std::nullopt : read_type(*type_node);
  column.classification = fields.text("classification").value_or("");
  column.permission = fields.text("permission").value_or("");
  check_mask(fields, column);
  fields.finish();
  if (type) column.type = *type;
  return column;
}

// Masking by role is not built yet. Until it is, a masked column is withheld from callers without its permission, as
// if it had no mask: the catalog may already say what it will show, and nobody sees more than they will then.
void DatasetReader::check_mask(YamlFields& fields, const Column& column) {
  const YamlNode* mask = fields.find("mask");
  if (mask == nullptr) return;
  fields.choice("mask", mask_names());
  if (column.permission.empty()) {
    findings_.add(mask->position, "missing_field",
                  "a mask needs a \"permission\": callers who hold it see the column as it is");
  }
}

void DatasetReader::read_declared_types() {
  const YamlNode* types = fields_.find("types");
  if (types == nullptr) return;
  if (!types->is_map()) {
    findings_.add(types->position, "wrong_type", "\"types\" must be a map of source columns and types");
    return;
  }
  for (const YamlNode& child : types->children) {
    if (const auto type = read_type(child)) declared_types_[child.key] = {*type, child.key_position};
  }
}

void DatasetReader::read_key() {
  const YamlNode* key = fields_.require("key");
  const auto columns = key == nullptr ? std::nullopt : fields_.texts("key");
  if (!columns) return;
  if (key->children.empty()) {
    findings_.add(key->position, "bad_value", "\"key\" must name at least one column: those of a unique index");
  }
  for (const YamlNode& item : *columns) {
    const std::string column = source_column(item, "a column of \"key\"");
    if (std::find(dataset_.key.begin(), dataset_.key.end(), column) != dataset_.key.end()) {
      findings_.add(item.position, "bad_value", quoted(column) + " is in the key twice");
      continue;
    }
    const auto type = type_of(column);
    if (!type) {
      add_missing_type(item, column);
    } else if (!is_key_type(type->logical)) {
      findings_.add(item.position, "bad_value",
                    "a column of type " + to_string(*type) +
                        " cannot be in a key; use integers, numeric, text, uuid, "
                        "date, timestamp or timestamptz");
    }
    dataset_.key.push_back(column);
    dataset_.key_types.push_back(type.value_or(DataType{}));
  }
}

void DatasetReader::read_tenant() {
  const YamlNode* node = fields_.require("tenant_column");
  if (node == nullptr) return;
  dataset_.tenant_column = source_column(*node, "\"tenant_column\"");
  dataset_.tenant_type = type_of(dataset_.tenant_column).value_or(DataType{});
  if (!is_tenant_type(dataset_.tenant_type.logical)) {
    findings_.add(node->position, "bad_value",
                  "a tenant column of type " + to_string(dataset_.tenant_type) +
                      " cannot be matched; use text, uuid or an integer");
  }
}

void DatasetReader::read_time() {
  const YamlNode* node = fields_.find("time_column");
  if (node == nullptr) return;
  dataset_.time_column = source_column(*node, "\"time_column\"");
  dataset_.time_type = type_of(dataset_.time_column);
  if (!dataset_.time_type) {
    if (!dataset_.time_column.empty()) add_missing_type(*node, dataset_.time_column);
  } else if (!is_time_type(dataset_.time_type->logical)) {
    findings_.add(node->position, "bad_value",
                  "a time column of type " + to_string(*dataset_.time_type) +
                      " has no times; use date, timestamp or timestamptz");
  }
}

void DatasetReader::read_subject() {
  if (const YamlNode* node = fields_.find("subject_column")) {
    dataset_.subject_column = source_column(*node, "\"subject_column\"");
    type_of(dataset_.subject_column);
  }
}

void DatasetReader::read_filters() {
  const auto filters = fields_.texts("filters");
  if (!filters) return;
  for (const YamlNode& item : *filters) add_filter(item);
}

void DatasetReader::add_filter(const YamlNode& item) {
  const auto column = std::find_if(dataset_.columns.begin(), dataset_.columns.end(),
                                   [&](const Column& one) { return one.name == item.text; });
  if (column == dataset_.columns.end()) {
    std::vector<std::string> names;
    names.reserve(dataset_.columns.size());
    for (const Column& one : dataset_.columns) names.push_back(one.name);
    findings_.add(item.position, "unknown_column",
                  quoted(item.text) + " is not one of \"columns\"" + did_you_mean(item.text, names));
  } else if (column->filterable) {
    findings_.add(item.position, "bad_value", quoted(item.text) + " is in \"filters\" twice");
  } else if (is_time_range_word(item.text)) {
    findings_.add(item.position, "bad_name",
                  "a filter named " + quoted(item.text) + " would be taken for the time range; rename the column");
  } else if (!is_filterable(column->type.logical)) {
    findings_.add(item.position, "bad_value",
                  quoted(item.text) + " is of type " + to_string(column->type) + ", which cannot be filtered on");
  } else {
    column->filterable = true;
  }
}

std::string DatasetReader::source_column(const YamlNode& node, std::string_view name) {
  const auto text = read_text(node, name, findings_);
  if (text && !is_identifier(*text)) {
    findings_.add(node.position, "bad_name",
                  std::string(name) +
                      " is not a column's name (1 to 128 bytes, no control "
                      "characters)");
  }
  return text.value_or("");
}

std::optional<DataType> DatasetReader::read_type(const YamlNode& node) {
  const auto text = read_text(node, "a type", findings_);
  if (!text) return std::nullopt;
  const auto type = parse_data_type(*text);
  if (type) return type;
  const std::string meant = closest_name(*text, type_names());
  findings_.add(
      node.position, "unknown_type",
      "there is no type " + quoted(*text) +
          (meant.empty() ? "; use one of " + join_words(type_names()) : "; did you mean " + quoted(meant) + "?"));
  return std::nullopt;
}

std::optional<DataType> DatasetReader::type_of(const std::string& column) {
  const auto declared = declared_types_.find(column);
  if (declared != declared_types_.end()) declared->second.used = true;
  const auto exported = std::find_if(dataset_.columns.begin(), dataset_.columns.end(),
                                     [&](const Column& one) { return one.source == column; });
  if (exported != dataset_.columns.end()) return exported->type;
  if (declared != declared_types_.end()) return declared->second.type;
  return std::nullopt;
}

void DatasetReader::add_missing_type(const YamlNode& node, const std::string& column) {
  findings_.add(node.position, "missing_field",
                quoted(column) +
                    " is not exported, so its type is not known; add it to \"columns\", or say it with "
                    "types: { " +
                    column + ": int64 } (or what it is)");
}

void DatasetReader::report_unused_types() {
  for (const auto& [column, declared] : declared_types_) {
    const auto exported = std::find_if(dataset_.columns.begin(), dataset_.columns.end(),
                                       [&](const Column& one) { return one.source == column; });
    if (exported != dataset_.columns.end()) {
      findings_.add(declared.position, "bad_value",
                    quoted(column) + " has its type from the column " + quoted(exported->name) + "; remove it here");
    } else if (!declared.used) {
      findings_.add(declared.position, "bad_value",
                    quoted(column) + " is neither in the key nor the tenant, time or subject column; remove it");
    }
  }
}

}  // namespace longshore
