#pragma once

#include <optional>
#include <string>

#include "model/dataset.h"
#include "yaml/yaml_fields.h"

namespace longshore {

/// Reads one entry of the catalog's `sources`. What is wrong goes to the findings given.
class SourceReader {
 public:
  /// `file` is the catalog's path: relative paths of SQLite sources begin in its folder.
  SourceReader(std::string file, YamlFindings& findings) : file_(std::move(file)), findings_(findings) {}
  Source read(const YamlNode& node);

 private:
  void read_servers(YamlFields& fields, const YamlNode& node, Source& source);
  void read_lag_guard(YamlFields& fields, Source& source);
  void read_sqlite_path(YamlFields& fields, Source& source);
  void read_pacing(YamlFields& fields, Source& source);
  void read_staging(YamlFields& fields, Source& source);
  /// `duty`, `least_duty`, `pause`; what is not there stays as it is in `rule`.
  void read_rule(YamlFields& fields, PacingRule& rule);
  std::optional<PacingWindow> read_window(const YamlNode& node);
  /// A time of the day as `22:00`, in minutes.
  std::optional<int> read_time(YamlFields& fields, std::string_view key);
  std::optional<double> read_share(YamlFields& fields, std::string_view key);
  /// Replaces `${NAME}` from the environment.
  std::optional<std::string> expand(const YamlNode& node);

  std::string file_;
  YamlFindings& findings_;
};

}  // namespace longshore
