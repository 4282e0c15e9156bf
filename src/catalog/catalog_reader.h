#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "yaml/yaml_fields.h"

namespace longshore {

/// Reads the YAML tree of a catalog. What is wrong goes to the findings given, and the catalog is then not to be used.
class CatalogReader {
 public:
  CatalogReader(std::string file, YamlFindings& findings);
  Catalog read(const YamlNode& root);

 private:
  void read_sources(const YamlNode& node);
  void read_datasets(const YamlNode& node);

  /// Remembers where a node and all below it stand.
  void note_places(const YamlNode& node, const std::string& path);

  std::string file_;
  YamlFindings& findings_;
  Catalog catalog_;
};

}  // namespace longshore
