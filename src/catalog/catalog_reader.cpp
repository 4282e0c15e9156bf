#include "catalog/catalog_reader.h"

#include <utility>

#include "catalog/dataset_reader.h"
#include "catalog/names.h"
#include "catalog/source_reader.h"

namespace longshore {

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
    if (!is_dataset_name(child.key)) {
      findings_.add(child.key_position, "bad_name", "\"" + child.key + "\" cannot name a source; " + kDatasetNameRule);
    }
    catalog_.sources_.push_back(SourceReader(file_, findings_).read(child));
  }
}

void CatalogReader::read_datasets(const YamlNode& node) {
  if (!node.is_map()) {
    findings_.add(node.position, "wrong_type", "\"datasets\" must be a map of names and datasets");
    return;
  }
  for (const YamlNode& child : node.children) {
    catalog_.datasets_.push_back(DatasetReader(child, catalog_.sources_, findings_).read());
  }
}

}  // namespace longshore
