#include "catalog/request_fields.h"

#include <algorithm>

#include "base/closest_name.h"

namespace longshore {

const JsonValue* RequestFields::member(std::string_view name, JsonValue::Kind kind, const char* expected) const {
  const JsonValue* found = object_.find(name);
  if (found == nullptr || found->kind == kind) return found;
  add(name, "wrong_type", std::string("must be ") + expected);
  return nullptr;
}

std::optional<std::string> RequestFields::text(std::string_view name) const {
  const JsonValue* found = member(name, JsonValue::Kind::string, "a string");
  return found == nullptr ? std::nullopt : std::optional(found->text);
}

std::optional<bool> RequestFields::flag(std::string_view name) const {
  const JsonValue* found = member(name, JsonValue::Kind::boolean, "true or false");
  return found == nullptr ? std::nullopt : std::optional(found->boolean);
}

std::optional<std::size_t> RequestFields::word(std::string_view name, std::span<const std::string_view> words) const {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto found = std::ranges::find(words, lower_case(*given));
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string list;
  for (const std::string_view one : words) list += (list.empty() ? "\"" : ", \"") + std::string(one) + "\"";
  add(name, "bad_value", "must be one of " + list);
  return std::nullopt;
}

void RequestFields::check_names(const std::vector<std::string>& known) const {
  for (const JsonValue& one : object_.children) {
    if (std::ranges::find(known, one.key) != known.end()) continue;
    add(one.key, "unknown_field", "there is no field of this name" + did_you_mean(one.key, known));
  }
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::vector<char32_t> code_points(std::string_view text) {
  std::vector<char32_t> points;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80 && !points.empty()) {
      points.back() = (points.back() << 6) | (byte & 0x3FU);
    } else {
      points.push_back(byte < 0x80 ? byte : byte < 0xE0 ? byte & 0x1FU : byte < 0xF0 ? byte & 0x0FU : byte & 0x07U);
    }
  }
  return points;
}

bool is_control(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) || code_point == 0x2028 || code_point == 0x2029;
}

}  // namespace longshore
