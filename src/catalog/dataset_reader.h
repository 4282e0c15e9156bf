#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/dataset.h"
#include "yaml/yaml_fields.h"

namespace longshore {

/// Reads one dataset of a catalog's YAML tree. Used once.
class DatasetReader {
 public:
  /// `sources` are those that "source" may name. Everything given outlives the reader.
  DatasetReader(const YamlNode& node, const std::vector<Source>& sources, YamlFindings& findings);
  Dataset read();

 private:
  struct DeclaredType {
    DataType type;
    YamlPosition position;
    bool used = false;
  };

  void read_place();
  void read_strategies();
  void check_strategy(const YamlNode& item, Consistency mode);
  void read_columns();
  std::optional<Column> read_column(const YamlNode& node);
  void check_mask(YamlFields& fields, const Column& column);
  void read_declared_types();
  void read_key();
  void read_tenant();
  void read_time();
  void read_subject();
  void read_filters();
  void add_filter(const YamlNode& item);

  std::string source_column(const YamlNode& node, std::string_view name);
  std::optional<DataType> read_type(const YamlNode& node);
  /// The type of a source column: that of the first exported column made of it, else what `types` says.
  std::optional<DataType> type_of(const std::string& column);
  void add_missing_type(const YamlNode& node, const std::string& column);
  void report_unused_types();

  const YamlNode& node_;
  const std::vector<Source>& sources_;
  YamlFindings& findings_;
  YamlFields fields_;
  Dataset dataset_;
  std::map<std::string, DeclaredType> declared_types_;
};

}  // namespace longshore
