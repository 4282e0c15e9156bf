#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/data_type.h"

namespace longshore {

/// A column as the live database describes it.
struct ColumnInfo {
  std::string name;
  DataType type;              ///< the type that Longshore exports it as
  std::string database_type;  ///< as the database spells it, e.g. `character varying(40)`
  bool nullable = true;
};

/// A unique index or constraint, or any other index.
struct IndexInfo {
  std::string name;
  std::vector<std::string> columns;  ///< plain columns in order; an index with expressions is not listed
  bool unique = false;
  bool partial = false;
  bool primary = false;
};

/// A table or view as the live database describes it.
struct RelationInfo {
  std::string name;  ///< `schema.table` (postgres) or `table` (sqlite)
  bool is_view = false;
  std::int64_t estimated_rows = 0;
  std::vector<ColumnInfo> columns;
  std::vector<IndexInfo> indexes;

  const ColumnInfo* find_column(const std::string& column) const;
};

struct Dataset;

/// Something that people should know of how datasets will be read; nothing that keeps them from being exported.
struct ReadingHint {
  std::string path;  ///< the key of the dataset (of the source) in the catalog that it is about, e.g. `relation`
  std::string code;
  std::string message;  ///< says what helps
};

/// Reads the schema of a live database; what `catalog check` and `catalog init` need of a source.
class SchemaInspector {
 public:
  virtual ~SchemaInspector() = default;
  /// Errors: `relation_not_found` (user), or what the database says (external).
  virtual Result<RelationInfo> describe(const std::string& relation) = 0;
  /// All tables that could be exported, system tables left out, in name order.
  virtual Result<std::vector<std::string>> list_relations() = 0;
  /// What the database's statistics and plans tell of reading this dataset; none where it has nothing to tell. Cheap.
  virtual Result<std::vector<ReadingHint>> reading_hints(const Dataset& /*dataset*/) {
    return std::vector<ReadingHint>();
  }
  /// What the servers' settings tell of reading one state of the source for long: hints on keys of the source, e.g.
  /// `replicas.0`. Asks every server.
  virtual Result<std::vector<ReadingHint>> snapshot_hints() { return std::vector<ReadingHint>(); }
  /// What keeps exports of this dataset from being copied to the source's staging schema: the server, the schema, or a
  /// right is missing. Hints on keys of the catalog as a whole, e.g. `sources.app.staging.schema`. Creates nothing.
  virtual Result<std::vector<ReadingHint>> staging_faults(const Dataset& /*dataset*/) {
    return std::vector<ReadingHint>();
  }
};

}  // namespace longshore
