#pragma once

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
  /// `file` is only for messages. `${NAME}` in a connection string or path is replaced from the environment.
  static Result<Catalog> parse(std::string_view yaml, const std::string& file);
  static Result<Catalog> load(const std::string& path);

  const std::vector<Source>& sources() const { return sources_; }
  const std::vector<Dataset>& datasets() const { return datasets_; }
  const Source* find_source(const std::string& name) const;
  const Dataset* find_dataset(const std::string& name) const;

 private:
  std::vector<Source> sources_;
  std::vector<Dataset> datasets_;
};

}  // namespace longshore
