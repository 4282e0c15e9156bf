#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/configuration.h"
#include "base/clock.h"
#include "base/result.h"
#include "yaml/yaml_fields.h"

namespace longshore {

/// All that is wrong with a configuration: findings in the file, and findings in environment variables.
struct SettingsFindings {
  explicit SettingsFindings(std::string file_name) : file(std::move(file_name)) {}

  YamlFindings file;
  std::vector<ErrorDetail> variables;

  std::size_t count() const { return file.count() + variables.size(); }
};

/// One section of the configuration, e.g. `server`, read from the file and the environment. A variable
/// `LONGSHORE_SECTION_KEY` wins over the file; an empty one counts as not set. Targets keep their value when nothing is
/// given, or what is given is wrong (and has been reported). Not thread-safe; what is given outlives this object.
class SettingsSection {
 public:
  /// `node` is nullptr when the file has no such section; `name` is empty for the top of the file.
  SettingsSection(const YamlNode* node, std::string name, const EnvironmentLookup& environment,
                  SettingsFindings& findings);

  /// The node of a section below this one, or nullptr.
  const YamlNode* section(std::string_view key) { return fields_.find(key); }

  void text(std::string_view key, std::string& target);
  template <std::integral T>
  void integer(std::string_view key, T& target, std::int64_t least, std::int64_t most) {
    if (const auto value = read_integer_setting(key, least, most)) target = static_cast<T>(*value);
  }
  void byte_size(std::string_view key, std::int64_t& target, std::int64_t least, std::int64_t most);
  /// What the target's unit cannot hold (500ms in seconds) is reported, not rounded.
  template <class Unit>
  void duration(std::string_view key, Unit& target, Unit least, Unit most) {
    const auto value = read_duration_setting(key, least, most, std::chrono::duration_cast<Duration>(Unit(1)));
    if (value) target = std::chrono::duration_cast<Unit>(*value);
  }
  void choice(std::string_view key, std::string& target, const std::vector<std::string>& words);
  void boolean(std::string_view key, bool& target);
  /// `key`, or the content of the file that `key_file` names (without the newline at its end). The environment's wins
  /// over the file's; both of one kind are an error.
  void secret(const std::string& key, std::string& target);

  /// The tree of a list or map: of the file, or of a variable that holds YAML. `use` is called with it and the findings
  /// to add to; not at all when nothing is given.
  void tree(std::string_view key, const std::function<void(const YamlNode&, YamlFindings&)>& use);

  /// A finding about the value of `key`; it stands where the value does, or at the section when it is a default.
  void add(std::string_view key, std::string code, std::string message);
  /// Whether `key` was given, rightly or wrongly.
  bool has(std::string_view key) { return variable(key).has_value() || fields_.find(key) != nullptr; }

  void finish() { fields_.finish(); }

 private:
  std::string variable_name(std::string_view key) const;
  std::optional<std::string> variable(std::string_view key) const;
  std::optional<std::int64_t> read_integer_setting(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<Duration> read_duration_setting(std::string_view key, Duration least, Duration most, Duration unit);
  template <class Value>
  std::optional<Value> from_variable(std::string_view key, Result<Value> value);
  std::optional<std::string> read_secret_file(const std::string& path, const std::string& key);

  std::string name_;
  const EnvironmentLookup& environment_;
  SettingsFindings& findings_;
  YamlFields fields_;
};

/// The content of a secret's file without the newline at its end. Errors: `bad_value`; no message holds the content.
Result<std::string> read_secret_text(const std::string& path);

}  // namespace longshore
