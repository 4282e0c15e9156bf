#include "catalog/json_document.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <set>
#include <utility>

namespace longshore {
namespace {

namespace json = boost::json;

/// Builds our values from the parser's events. Boost.JSON's own values hold numbers as int64 or double.
class DocumentBuilder {
 public:
  static constexpr std::size_t max_array_size = kMaxJsonValues;
  static constexpr std::size_t max_object_size = kMaxJsonValues;
  static constexpr std::size_t max_string_size = kMaxJsonBytes;
  static constexpr std::size_t max_key_size = kMaxJsonBytes;

  JsonValue take_root() { return std::move(root_); }

  bool on_document_begin(json::error_code& /*error*/) { return true; }
  bool on_document_end(json::error_code& /*error*/) { return true; }
  bool on_array_begin(json::error_code& error) { return open(JsonValue::Kind::array, error); }
  bool on_array_end(std::size_t /*count*/, json::error_code& /*error*/) { return close(); }
  bool on_object_begin(json::error_code& error) { return open(JsonValue::Kind::object, error); }
  bool on_object_end(std::size_t /*count*/, json::error_code& /*error*/) { return close(); }

  bool on_string_part(json::string_view part, std::size_t /*total*/, json::error_code& /*error*/) {
    return append(part);
  }
  bool on_string(json::string_view part, std::size_t /*total*/, json::error_code& error) {
    append(part);
    return add_text(JsonValue::Kind::string, error);
  }
  bool on_key_part(json::string_view part, std::size_t /*total*/, json::error_code& /*error*/) { return append(part); }
  bool on_key(json::string_view part, std::size_t /*total*/, json::error_code& /*error*/) {
    append(part);
    key_ = std::exchange(text_, {});
    return true;
  }
  bool on_number_part(json::string_view part, json::error_code& /*error*/) { return append(part); }
  bool on_int64(std::int64_t /*value*/, json::string_view part, json::error_code& error) {
    append(part);
    return add_text(JsonValue::Kind::number, error);
  }
  bool on_uint64(std::uint64_t /*value*/, json::string_view part, json::error_code& error) {
    append(part);
    return add_text(JsonValue::Kind::number, error);
  }
  bool on_double(double /*value*/, json::string_view part, json::error_code& error) {
    append(part);
    return add_text(JsonValue::Kind::number, error);
  }
  bool on_bool(bool value, json::error_code& error) {
    JsonValue node;
    node.kind = JsonValue::Kind::boolean;
    node.boolean = value;
    return add(std::move(node), error);
  }
  bool on_null(json::error_code& error) { return add({}, error); }
  bool on_comment_part(json::string_view /*part*/, json::error_code& /*error*/) { return true; }
  bool on_comment(json::string_view /*part*/, json::error_code& /*error*/) { return true; }

 private:
  bool append(json::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool add_text(JsonValue::Kind kind, json::error_code& error) {
    JsonValue node;
    node.kind = kind;
    node.text = std::exchange(text_, {});
    return add(std::move(node), error);
  }
  bool count_one(json::error_code& error) {
    if (++values_ <= kMaxJsonValues) return true;
    error = json::error::array_too_large;
    return false;
  }
  bool open(JsonValue::Kind kind, json::error_code& error) {
    JsonValue node;
    node.kind = kind;
    node.key = std::exchange(key_, {});
    stack_.push_back(std::move(node));
    return count_one(error);
  }
  bool close() {
    JsonValue closed = std::move(stack_.back());
    stack_.pop_back();
    attach(std::move(closed));
    return true;
  }
  bool add(JsonValue node, json::error_code& error) {
    node.key = std::exchange(key_, {});
    attach(std::move(node));
    return count_one(error);
  }
  void attach(JsonValue node) {
    if (stack_.empty()) {
      root_ = std::move(node);
    } else {
      stack_.back().children.push_back(std::move(node));
    }
  }

  std::string text_;  ///< of the string, key or number that is being read
  std::string key_;
  std::vector<JsonValue> stack_;
  JsonValue root_;
  std::size_t values_ = 0;
};

void collect_duplicates(const JsonValue& value, const std::string& pointer, std::vector<std::string>& duplicates) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < value.children.size(); ++i) {
    const JsonValue& child = value.children[i];
    if (value.is_object() && !seen.insert(child.key).second) duplicates.push_back(json_pointer(pointer, child.key));
    if (child.children.empty()) continue;
    collect_duplicates(child, json_pointer(pointer, value.is_object() ? child.key : std::to_string(i)), duplicates);
  }
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const JsonValue& one) { return one.key == name; });
  return found == children.end() ? nullptr : &*found;
}

Result<JsonValue> parse_json(std::string_view body) {
  if (body.size() > kMaxJsonBytes) {
    return fail(user_error("request_too_large", "the body is longer than " + std::to_string(kMaxJsonBytes) + " bytes"));
  }
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::basic_parser<DocumentBuilder> parser(options);
  json::error_code error;
  const std::size_t read = parser.write_some(false, body.data(), body.size(), error);
  if (!error && read < body.size()) error = json::error::extra_data;
  if (error == json::error::array_too_large || error == json::error::object_too_large) {
    return fail(
        user_error("request_too_large", "the body holds more than " + std::to_string(kMaxJsonValues) + " JSON values"));
  }
  if (error == json::error::too_deep) {
    return fail(user_error("malformed_request",
                           "the body's JSON is nested more than " + std::to_string(kMaxJsonDepth) + " levels deep"));
  }
  if (error) {
    return fail(user_error("malformed_request",
                           "the body is not valid JSON: " + error.message() + " near byte " + std::to_string(read)));
  }
  return parser.handler().take_root();
}

std::string json_pointer(std::string_view parent, std::string_view key) {
  std::string pointer(parent);
  pointer += '/';
  for (const char c : key) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

std::vector<std::string> duplicate_members(const JsonValue& root) {
  std::vector<std::string> duplicates;
  collect_duplicates(root, "", duplicates);
  return duplicates;
}

}  // namespace longshore
