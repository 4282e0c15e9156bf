#include "parquet/json_array.h"

#include <cstddef>

namespace longshore::parquet {
namespace {

/// Walks over JSON text. Functions return false at the end of the text or where it is no JSON.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  std::size_t position() const { return at_; }
  std::string_view since(std::size_t begin) const { return text_.substr(begin, at_ - begin); }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char wanted) {
    if (peek() != wanted || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  /// REQUIRES: peek() is a quote. `inner`: what is between the quotes.
  bool skip_string(std::string_view& inner) {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return false;
    inner = since(begin);
    ++at_;
    return true;
  }
  /// An object or array with everything in it. REQUIRES: peek() is a brace or bracket.
  bool skip_nested() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        std::string_view ignored;
        if (!skip_string(ignored)) return false;
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (depth == 0) return true;
    }
    return false;
  }
  /// A number, true, false or null.
  bool skip_word() {
    const std::size_t begin = at_;
    constexpr std::string_view kEnds = ",]} \t\r\n\"[{:";
    while (at_ < text_.size() && kEnds.find(text_[at_]) == std::string_view::npos) ++at_;
    return at_ > begin;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool read_element(JsonCursor& cursor, JsonElement& element) {
  const char first = cursor.peek();
  const std::size_t begin = cursor.position();
  if (first == '"') {
    element.kind = JsonElement::Kind::string;
    return cursor.skip_string(element.text);
  }
  const bool nested = first == '{' || first == '[';
  if (!(nested ? cursor.skip_nested() : cursor.skip_word())) return false;
  element.text = cursor.since(begin);
  element.kind = element.text == "null" ? JsonElement::Kind::null : JsonElement::Kind::other;
  return true;
}

}  // namespace

JsonArrayShape read_json_array(std::string_view text, bool keep_nested, std::vector<JsonElement>& elements) {
  elements.clear();
  JsonCursor cursor(text);
  if (!cursor.accept('[')) return JsonArrayShape::broken;
  std::size_t depth = 1;
  bool flattened = false;
  bool value_wanted = true;  // an element, or the end of an array that has none so far
  bool may_end = true;
  while (depth > 0) {
    if (may_end && cursor.accept(']')) {
      --depth;
      value_wanted = false;
    } else if (!value_wanted) {
      if (!cursor.accept(',')) return JsonArrayShape::broken;
      value_wanted = true;
      may_end = false;
      continue;
    } else if (!keep_nested && cursor.accept('[')) {
      ++depth;
      flattened = true;
    } else {
      if (!read_element(cursor, elements.emplace_back())) return JsonArrayShape::broken;
      value_wanted = false;
    }
    may_end = true;
  }
  if (!cursor.at_end()) return JsonArrayShape::broken;
  return flattened ? JsonArrayShape::flattened : JsonArrayShape::flat;
}

}  // namespace longshore::parquet
