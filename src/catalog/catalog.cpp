#include "catalog/catalog.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "catalog/catalog_reader.h"
#include "yaml/yaml_node.h"

namespace longshore {
namespace {

Error bad_catalog(const std::string& file, std::vector<ErrorDetail> details) {
  const std::size_t count = details.size();
  Error error = user_error("bad_catalog", file + " has " + std::to_string(count) + (count == 1 ? " error" : " errors"));
  error.details = std::move(details);
  return error;
}

template <class Named>
const Named* find_by_name(const std::vector<Named>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

Result<Catalog> Catalog::parse(std::string_view yaml, const std::string& file) {
  YamlFindings findings(file);
  const YamlNode root = parse_yaml(yaml, findings);
  // A file that is not YAML has no structure to complain about.
  if (root.is_null() && !findings.empty()) return fail(bad_catalog(file, findings.take()));
  Catalog catalog = CatalogReader(file, findings).read(root);
  if (!findings.empty()) return fail(bad_catalog(file, findings.take()));
  return catalog;
}

Result<Catalog> Catalog::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) {
    std::error_code missing;
    return fail(user_error(
        std::filesystem::exists(path, missing) ? "bad_catalog" : "catalog_not_found",
        "cannot read the catalog " + path + "; give the right path, or write one with `longshore catalog init`"));
  }
  return parse(text, path);
}

const Source* Catalog::find_source(const std::string& name) const {
  return find_by_name(sources_, name);
}

const Dataset* Catalog::find_dataset(const std::string& name) const {
  return find_by_name(datasets_, name);
}

std::string Catalog::where(std::string path) const {
  while (true) {
    if (const auto found = places_.find(path); found != places_.end()) return found->second;
    const std::size_t dot = path.rfind('.');
    if (dot == std::string::npos) return file_;
    path.resize(dot);
  }
}

}  // namespace longshore
