#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace longshore {

/// A JSON value that keeps a number's digits as they were written, so that no decimal passes through a double.
struct JsonValue {
  enum class Kind { null, boolean, number, string, array, object };

  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;                 ///< of a string, or a number as it was written
  std::string key;                  ///< set for members of an object
  std::vector<JsonValue> children;  ///< items of an array, members of an object in the order written

  bool is_null() const { return kind == Kind::null; }
  bool is_boolean() const { return kind == Kind::boolean; }
  bool is_number() const { return kind == Kind::number; }
  bool is_string() const { return kind == Kind::string; }
  bool is_array() const { return kind == Kind::array; }
  bool is_object() const { return kind == Kind::object; }
  /// The first member of that name, or nullptr.
  const JsonValue* find(std::string_view name) const;
};

/// How much a request may hold: enough for any sane one, and a bound on what it costs in memory.
inline constexpr std::size_t kMaxJsonBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxJsonDepth = 16;
inline constexpr std::size_t kMaxJsonValues = 20'000;

/// Reads one JSON text (RFC 8259, UTF-8). Errors: `malformed_request`; `request_too_large` above the limits.
Result<JsonValue> parse_json(std::string_view body);

/// `parent` with one more step, escaped (RFC 6901).
std::string json_pointer(std::string_view parent, std::string_view key);

/// Pointers to members whose name an earlier member of the same object has.
std::vector<std::string> duplicate_members(const JsonValue& root);

}  // namespace longshore
