#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/relation_info.h"

namespace longshore {

/// A database's schema that a test writes down.
class FakeSchema final : public SchemaInspector {
 public:
  void add(RelationInfo relation) { relations_[relation.name] = std::move(relation); }
  RelationInfo& at(const std::string& name) { return relations_.at(name); }

  Result<RelationInfo> describe(const std::string& relation) override {
    const auto found = relations_.find(relation);
    if (found != relations_.end()) return found->second;
    return fail(user_error("relation_not_found", "no such relation"));
  }
  Result<std::vector<std::string>> list_relations() override {
    std::vector<std::string> names;
    for (const auto& [name, relation] : relations_) names.push_back(name);
    return names;
  }
  Result<std::vector<ReadingHint>> reading_hints(const Dataset& dataset) override {
    const auto found = hints.find(dataset.relation);
    if (found != hints.end()) return found->second;
    return std::vector<ReadingHint>();
  }

  Result<std::vector<ReadingHint>> snapshot_hints() override { return about_snapshots; }

  Result<std::vector<ReadingHint>> staging_faults(const Dataset& /*dataset*/) override { return about_staging; }

  std::map<std::string, std::vector<ReadingHint>> hints;  ///< by relation
  std::vector<ReadingHint> about_staging;
  std::vector<ReadingHint> about_snapshots;

 private:
  std::map<std::string, RelationInfo> relations_;
};

/// `name type` pairs → not null columns; a type that ends with `?` is nullable.
inline std::vector<ColumnInfo> columns_of(const std::vector<std::pair<std::string, std::string>>& columns) {
  std::vector<ColumnInfo> infos;
  for (auto [name, type] : columns) {
    const bool nullable = type.ends_with('?');
    if (nullable) type.pop_back();
    infos.push_back({name, parse_data_type(type).value(), type, nullable});
  }
  return infos;
}

}  // namespace longshore
