#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/json_document.h"
#include "catalog/request_findings.h"
#include "model/export_spec.h"

namespace longshore {

/// The members of one object of a request, read as what they must be. What is wrong goes to the findings, and counts as
/// not given. Not thread-safe.
class RequestFields {
 public:
  /// Everything given outlives the reader. `pointer`: where the object is, empty for the whole request.
  RequestFields(const JsonValue& object, std::string pointer, RequestFindings& findings)
      : object_(object), pointer_(std::move(pointer)), findings_(findings) {}

  /// The JSON pointer of a member.
  std::string pointer(std::string_view name) const { return json_pointer(pointer_, name); }
  const JsonValue* find(std::string_view name) const { return object_.find(name); }
  /// `expected` ends the sentence "must be …".
  const JsonValue* member(std::string_view name, JsonValue::Kind kind, const char* expected) const;
  std::optional<std::string> text(std::string_view name) const;
  std::optional<bool> flag(std::string_view name) const;
  /// A value of an enumeration, by its name in any case.
  template <class Enum>
  std::optional<Enum> choice(std::string_view name) const {
    const auto index = word(name, names_of<Enum>());
    return index ? std::optional(static_cast<Enum>(*index)) : std::nullopt;
  }
  /// The index of one of `words`, in any case.
  std::optional<std::size_t> word(std::string_view name, std::span<const std::string_view> words) const;

  /// Reports the members that are none of `known`.
  void check_names(const std::vector<std::string>& known) const;
  void add(std::string_view name, std::string code, std::string message) const {
    findings_.add(pointer(name), std::move(code), std::move(message));
  }

 private:
  const JsonValue& object_;
  const std::string pointer_;
  RequestFindings& findings_;
};

/// ASCII letters in lower case.
std::string lower_case(std::string text);
/// The characters of valid UTF-8 (what a JsonValue holds is).
std::vector<char32_t> code_points(std::string_view text);
/// Characters that have no place in a title or name: controls and line separators.
bool is_control(char32_t code_point);

}  // namespace longshore
