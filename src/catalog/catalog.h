#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/dataset.h"

namespace longshore {

/// What may be exported: sources and datasets. Immutable after loading; thread-safe.
class Catalog {
 public:
  /// Reads YAML. All findings at once: error `bad_catalog` with one detail for each, `where` = `file:line:column`.
  /// `file` is for messages, and relative paths of SQLite sources begin in its folder; it is not read. `${NAME}` in a
  /// connection string or path is replaced from the environment. The YAML is described in docs/catalog.md.
  static Result<Catalog> parse(std::string_view yaml, const std::string& file);
  /// The same of a file. Besides: `catalog_not_found`.
  static Result<Catalog> load(const std::string& path);

  const std::vector<Source>& sources() const { return sources_; }
  const std::vector<Dataset>& datasets() const { return datasets_; }
  const Source* find_source(const std::string& name) const;
  const Dataset* find_dataset(const std::string& name) const;

  /// Where something stands, as `file:line:column`. `path` is its keys with dots, e.g.
  /// `datasets.orders.columns.createdAt.type`; what was left out stands where its nearest parent does.
  std::string where(std::string path) const;

 private:
  friend class CatalogReader;

  std::vector<Source> sources_;
  std::vector<Dataset> datasets_;
  std::string file_;
  std::map<std::string, std::string> places_;  ///< path → `file:line:column`
};

}  // namespace longshore
