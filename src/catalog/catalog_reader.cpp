#include "catalog/catalog_reader.h"

#include <filesystem>
#include <utility>

#include "catalog/dataset_reader.h"
#include "catalog/environment_text.h"
#include "catalog/names.h"

namespace longshore {

using namespace std::chrono_literals;

CatalogReader::CatalogReader(std::string file, YamlFindings& findings) : file_(std::move(file)), findings_(findings) {
  catalog_.file_ = file_;
}

Catalog CatalogReader::read(const YamlNode& root) {
  if (root.is_null()) {
    findings_.add({}, "missing_field", "the catalog is empty; it needs \"sources\" and \"datasets\"");
    return std::move(catalog_);
  }
  note_places(root, "");
  YamlFields fields(root, "the catalog", findings_);
  if (const YamlNode* sources = fields.require("sources")) read_sources(*sources);
  if (const YamlNode* datasets = fields.require("datasets")) read_datasets(*datasets);
  fields.finish();
  return std::move(catalog_);
}

void CatalogReader::note_places(const YamlNode& node, const std::string& path) {
  if (!path.empty()) catalog_.places_[path] = findings_.where(node.position);
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const YamlNode& child = node.children[i];
    const std::string name = node.is_map() ? child.key : std::to_string(i);
    std::string child_path = path;
    if (!path.empty()) child_path += '.';
    child_path += name;
    note_places(child, child_path);
    // A map is best pointed at by its key: `orders:`, not the first line below it.
    if (node.is_map() && child.is_map()) catalog_.places_[child_path] = findings_.where(child.key_position);
  }
}

void CatalogReader::read_sources(const YamlNode& node) {
  if (!node.is_map()) {
    findings_.add(node.position, "wrong_type", "\"sources\" must be a map of names and sources");
    return;
  }
  for (const YamlNode& child : node.children) {
    source_names_.push_back(child.key);
    if (!is_dataset_name(child.key)) {
      findings_.add(child.key_position, "bad_name", "\"" + child.key + "\" cannot name a source; " + kDatasetNameRule);
    }
    catalog_.sources_.push_back(read_source(child));
  }
}

Source CatalogReader::read_source(const YamlNode& node) {
  Source source;
  source.name = node.key;
  source.max_lag = 5s;
  source.statement_timeout = 30s;
  YamlFields fields(node, "source \"" + node.key + "\"", findings_);
  if (!node.is_map()) return source;

  const YamlNode* driver_node = fields.require("driver");
  const auto driver = driver_node == nullptr ? std::nullopt : fields.choice("driver", {"postgres", "sqlite"});
  if (driver == "postgres") {
    source.driver = SourceDriver::postgres;
    read_connections(fields, node, source);
    source.max_lag = fields.duration("max_lag", 0s, 1h).value_or(source.max_lag);
  } else if (driver == "sqlite") {
    source.driver = SourceDriver::sqlite;
    read_sqlite_path(fields, source);
  }
  source.max_connections = static_cast<int>(fields.integer("max_connections", 1, 1000).value_or(4));
  source.statement_timeout = fields.duration("statement_timeout", 100ms, 24h).value_or(source.statement_timeout);
  source.batch_rows = static_cast<int>(fields.integer("batch_rows", 1, 10'000).value_or(5'000));
  // Without a driver nobody can say which keys belong here.
  if (driver) fields.finish();
  return source;
}

void CatalogReader::read_connections(YamlFields& fields, const YamlNode& node, Source& source) {
  const YamlNode* replicas = fields.find("replicas");
  const YamlNode* primary = fields.find("primary");
  if (replicas == nullptr && primary == nullptr) {
    findings_.add(node.key_position, "missing_field",
                  "source \"" + node.key + "\" needs \"replicas\" (a list of connection strings) or \"primary\" (one)");
    return;
  }
  if (replicas != nullptr) {
    for (const YamlNode& item : fields.texts("replicas").value_or(std::vector<YamlNode>{})) {
      if (auto text = expand(item)) source.replicas.push_back(*std::move(text));
    }
    if (replicas->is_sequence() && replicas->children.empty()) {
      findings_.add(replicas->position, "bad_value", "\"replicas\" is an empty list; name one or remove the line");
    }
  }
  if (primary != nullptr && fields.text("primary")) source.primary = expand(*primary).value_or("");
}

void CatalogReader::read_sqlite_path(YamlFields& fields, Source& source) {
  const YamlNode* path = fields.require("path");
  if (path == nullptr || !fields.text("path")) return;
  const auto text = expand(*path);
  if (!text) return;
  const std::filesystem::path folder = std::filesystem::path(file_).parent_path();
  // An absolute path stays what it is when it is appended to another one.
  source.path = (folder / *text).lexically_normal().string();
}

std::optional<std::string> CatalogReader::expand(const YamlNode& node) {
  auto text = expand_environment(node.text);
  if (text) return *std::move(text);
  findings_.add(node.position, text.error().code, text.error().message);
  return std::nullopt;
}

void CatalogReader::read_datasets(const YamlNode& node) {
  if (!node.is_map()) {
    findings_.add(node.position, "wrong_type", "\"datasets\" must be a map of names and datasets");
    return;
  }
  for (const YamlNode& child : node.children) {
    catalog_.datasets_.push_back(DatasetReader(child, source_names_, findings_).read());
  }
}

}  // namespace longshore
