#include "app/settings_section.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "yaml/scalar.h"

namespace longshore {
namespace {

constexpr std::size_t kLongestSecret = std::size_t{64} << 10;  // bytes

/// What a section that the file does not have reads as.
const YamlNode& empty_map() {
  static const YamlNode kEmpty = [] {
    YamlNode node;
    node.kind = YamlNode::Kind::map;
    return node;
  }();
  return kEmpty;
}

std::string quoted(std::string_view word) {
  return "\"" + std::string(word) + "\"";
}

}  // namespace

SettingsSection::SettingsSection(const YamlNode* node, std::string name, const EnvironmentLookup& environment,
                                 SettingsFindings& findings)
    : name_(std::move(name)),
      environment_(environment),
      findings_(findings),
      fields_(node == nullptr ? empty_map() : *node, name_.empty() ? "the configuration" : quoted(name_),
              findings.file) {}

std::string SettingsSection::variable_name(std::string_view key) const {
  std::string name = "LONGSHORE_" + (name_.empty() ? "" : name_ + "_") + std::string(key);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

std::optional<std::string> SettingsSection::variable(std::string_view key) const {
  auto value = environment_(variable_name(key));
  return value && !value->empty() ? value : std::nullopt;
}

template <class Value>
std::optional<Value> SettingsSection::from_variable(std::string_view key, Result<Value> value) {
  if (value) return *std::move(value);
  findings_.variables.push_back({variable_name(key), value.error().code, value.error().message});
  return std::nullopt;
}

void SettingsSection::text(std::string_view key, std::string& target) {
  const auto in_file = fields_.text(key);
  if (auto given = variable(key)) {
    target = *std::move(given);
  } else if (in_file) {
    target = *in_file;
  }
}

std::optional<std::int64_t> SettingsSection::read_integer_setting(std::string_view key, std::int64_t least,
                                                                  std::int64_t most) {
  const auto in_file = fields_.integer(key, least, most);
  const auto given = variable(key);
  return given ? from_variable(key, read_integer(*given, least, most)) : in_file;
}

void SettingsSection::byte_size(std::string_view key, std::int64_t& target, std::int64_t least, std::int64_t most) {
  const auto in_file = fields_.byte_size(key, least, most);
  const auto given = variable(key);
  const auto value = given ? from_variable(key, read_byte_size(*given, least, most)) : in_file;
  if (value) target = *value;
}

std::optional<Duration> SettingsSection::read_duration_setting(std::string_view key, Duration least, Duration most,
                                                               Duration unit) {
  const auto in_file = fields_.duration(key, least, most);
  const auto given = variable(key);
  const auto value = given ? from_variable(key, read_duration(*given, least, most)) : in_file;
  if (!value || *value % unit == Duration{}) return value;
  add(key, "bad_value", quoted(key) + " must be a multiple of " + format_duration(unit));
  return std::nullopt;
}

void SettingsSection::choice(std::string_view key, std::string& target, const std::vector<std::string>& words) {
  const auto in_file = fields_.choice(key, words);
  const auto given = variable(key);
  if (!given) {
    if (in_file) target = *in_file;
  } else if (std::find(words.begin(), words.end(), *given) != words.end()) {
    target = *given;
  } else {
    add(key, "bad_value", quoted(*given) + " is not known; use " + join_words(words));
  }
}

void SettingsSection::boolean(std::string_view key, bool& target) {
  const auto in_file = fields_.boolean(key);
  const auto given = variable(key);
  const auto value = given ? from_variable(key, read_boolean(*given)) : in_file;
  if (value) target = *value;
}

void SettingsSection::secret(const std::string& key, std::string& target) {
  const std::string file_key = key + "_file";
  const auto in_file = fields_.text(key);
  const auto in_file_path = fields_.text(file_key);
  const auto given = variable(key);
  const auto given_path = variable(file_key);
  const bool from_environment = given || given_path;
  const auto& value = from_environment ? given : in_file;
  const auto& path = from_environment ? given_path : in_file_path;
  if (value && path) {
    add(file_key, "bad_value", "give " + quoted(key) + " or " + quoted(file_key) + ", not both");
  } else if (value) {
    target = *value;
  } else if (path) {
    target = read_secret_file(*path, file_key).value_or("");
  }
}

std::optional<std::string> SettingsSection::read_secret_file(const std::string& path, const std::string& key) {
  auto content = read_secret_text(path);
  if (content) return *std::move(content);
  add(key, content.error().code, content.error().message);
  return std::nullopt;
}

void SettingsSection::tree(std::string_view key, const std::function<void(const YamlNode&, YamlFindings&)>& use) {
  const YamlNode* in_file = fields_.find(key);
  const auto given = variable(key);
  if (!given) {
    if (in_file != nullptr) use(*in_file, findings_.file);
    return;
  }
  YamlFindings findings(variable_name(key));
  const YamlNode node = parse_yaml(*given, findings);
  if (findings.empty()) use(node, findings);
  std::vector<ErrorDetail> details = findings.take();
  std::move(details.begin(), details.end(), std::back_inserter(findings_.variables));
}

void SettingsSection::add(std::string_view key, std::string code, std::string message) {
  if (variable(key)) {
    findings_.variables.push_back({variable_name(key), std::move(code), std::move(message)});
  } else {
    const YamlNode* node = fields_.find(key);
    findings_.file.add(node == nullptr ? fields_.position() : node->position, std::move(code), std::move(message));
  }
}

Result<std::string> read_secret_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(kLongestSecret + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.is_open() || file.bad()) {
    return fail(
        user_error("bad_value", "cannot read the secret's file " + path + "; check its name and who may read it"));
  }
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content.size() > kLongestSecret) {
    return fail(user_error("bad_value", "the secret's file " + path + " is longer than " +
                                            format_byte_size(static_cast<std::int64_t>(kLongestSecret))));
  }
  if (content.ends_with('\n')) content.pop_back();
  if (content.ends_with('\r')) content.pop_back();
  if (content.empty()) return fail(user_error("bad_value", "the secret's file " + path + " is empty"));
  return content;
}

}  // namespace longshore
