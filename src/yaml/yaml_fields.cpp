#include "yaml/yaml_fields.h"

#include <algorithm>
#include <utility>

#include "base/closest_name.h"
#include "yaml/scalar.h"

namespace longshore {
namespace {

std::string quoted(std::string_view word) {
  return "\"" + std::string(word) + "\"";
}

const char* kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return "a single value";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map of keys";
  }
  return "";
}

void add_wrong_type(const YamlNode& node, std::string_view name, const char* expected, YamlFindings& findings) {
  findings.add(node.position, "wrong_type", std::string(name) + " must be " + expected + ", not " + kind_name(node));
}

}  // namespace

YamlFields::YamlFields(const YamlNode& node, std::string what, YamlFindings& findings)
    : node_(node), what_(std::move(what)), findings_(findings) {
  if (!node_.is_map()) add_wrong_type(node_, what_, "a map of keys", findings_);
}

YamlPosition YamlFields::position() const {
  return node_.key.empty() ? node_.position : node_.key_position;
}

const YamlNode* YamlFields::find(std::string_view key) {
  const bool first_time = std::find(known_.begin(), known_.end(), key) == known_.end();
  if (first_time) known_.emplace_back(key);
  if (!node_.is_map()) return nullptr;
  for (const YamlNode& field : node_.children) {
    if (field.key != key) continue;
    if (!field.is_null()) return &field;
    if (!first_time) return nullptr;
    findings_.add(field.position, "wrong_type", quoted(key) + " has no value; give it one or remove the line");
  }
  return nullptr;
}

const YamlNode* YamlFields::require(std::string_view key) {
  if (const YamlNode* field = find(key)) return field;
  const bool present = std::any_of(node_.children.begin(), node_.children.end(),
                                   [&](const YamlNode& field) { return field.key == key; });
  if (node_.is_map() && !present) findings_.add(position(), "missing_field", what_ + " needs " + quoted(key));
  return nullptr;
}

template <class Read>
auto YamlFields::read_scalar(std::string_view key, bool quoted_allowed, Read read) {
  using Value = typename decltype(read(std::string_view{}))::value_type;
  const YamlNode* field = find(key);
  if (field == nullptr) return std::optional<Value>{};
  if (!field->is_scalar()) {
    add_wrong_type(*field, quoted(key), "a single value", findings_);
    return std::optional<Value>{};
  }
  if (field->quoted && !quoted_allowed) {
    findings_.add(field->position, "wrong_type", quoted(key) + " must be written without quotes");
    return std::optional<Value>{};
  }
  auto value = read(std::string_view(field->text));
  if (value) return std::optional<Value>{*std::move(value)};
  findings_.add(field->position, value.error().code, quoted(key) + ": " + value.error().message);
  return std::optional<Value>{};
}

std::optional<std::string> YamlFields::text(std::string_view key) {
  const YamlNode* field = find(key);
  return field == nullptr ? std::nullopt : read_text(*field, quoted(key), findings_);
}

std::optional<std::int64_t> YamlFields::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  return read_scalar(key, false, [&](std::string_view text) { return read_integer(text, least, most); });
}

std::optional<bool> YamlFields::boolean(std::string_view key) {
  return read_scalar(key, false, [](std::string_view text) { return read_boolean(text); });
}

std::optional<Duration> YamlFields::duration(std::string_view key, Duration least, Duration most) {
  return read_scalar(key, true, [&](std::string_view text) { return read_duration(text, least, most); });
}

std::optional<std::int64_t> YamlFields::byte_size(std::string_view key, std::int64_t least, std::int64_t most) {
  return read_scalar(key, true, [&](std::string_view text) { return read_byte_size(text, least, most); });
}

std::optional<std::string> YamlFields::choice(std::string_view key, const std::vector<std::string>& words) {
  return read_scalar(key, true, [&](std::string_view text) -> Result<std::string> {
    if (std::find(words.begin(), words.end(), text) != words.end()) return std::string(text);
    return fail(user_error("bad_value", quoted(text) + " is not known; use " + join_words(words)));
  });
}

std::optional<std::vector<YamlNode>> YamlFields::texts(std::string_view key) {
  const YamlNode* field = find(key);
  return field == nullptr ? std::nullopt : read_texts(*field, quoted(key), findings_);
}

void YamlFields::finish() {
  if (!node_.is_map()) return;
  for (const YamlNode& field : node_.children) {
    if (std::find(known_.begin(), known_.end(), field.key) != known_.end()) continue;
    findings_.add(field.key_position, "unknown_key",
                  what_ + " has no key " + quoted(field.key) + did_you_mean(field.key, known_));
  }
}

std::optional<std::string> read_text(const YamlNode& node, std::string_view name, YamlFindings& findings) {
  if (!node.is_scalar()) {
    add_wrong_type(node, name, "a text", findings);
    return std::nullopt;
  }
  if (node.text.empty()) {
    findings.add(node.position, "bad_value", std::string(name) + " must not be empty");
    return std::nullopt;
  }
  return node.text;
}

std::optional<std::vector<YamlNode>> read_texts(const YamlNode& node, std::string_view name, YamlFindings& findings) {
  if (!node.is_sequence()) {
    add_wrong_type(node, name, "a list", findings);
    return std::nullopt;
  }
  std::vector<YamlNode> texts;
  for (const YamlNode& item : node.children) {
    if (read_text(item, "an item of " + std::string(name), findings)) texts.push_back(item);
  }
  return texts;
}

std::string join_words(const std::vector<std::string>& words) {
  std::string joined;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) joined += i + 1 == words.size() ? " or " : ", ";
    joined += quoted(words[i]);
  }
  return joined;
}

}  // namespace longshore
