#include "metadata/dialect.h"

#include <stdexcept>
#include <vector>

namespace longshore::sql {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \n") - first + 1);
}

/// Splits at the `|` that are not inside inner braces.
std::vector<std::string_view> split_arguments(std::string_view text) {
  std::vector<std::string_view> arguments;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}') --depth;
    if (text[i] == '|' && depth == 0) {
      arguments.push_back(trim(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  const std::string_view last = trim(text.substr(begin));
  if (!last.empty()) arguments.push_back(last);
  return arguments;
}

std::string expand_word(const Dialect& dialect, std::string_view text) {
  const auto name_end = text.find(' ');
  const std::string_view name = text.substr(0, name_end);
  std::vector<std::string> arguments;
  if (name_end != std::string_view::npos) {
    for (const auto argument : split_arguments(text.substr(name_end))) arguments.push_back(expand(dialect, argument));
  }
  switch (arguments.size()) {
    case 0:
      if (name == "now") return dialect.now();
      if (name == "lock") return dialect.lock();
      if (name == "keep") return dialect.keep();
      if (name == "lock_kept") return dialect.lock_kept();
      if (name == "skip_locked") return dialect.skip_locked();
      if (name == "share_skip_locked") return dialect.share_skip_locked();
      break;
    case 1:
      if (name == "micros") return dialect.micros(arguments[0]);
      if (name == "time") return dialect.time(arguments[0]);
      if (name == "json") return dialect.json(arguments[0]);
      if (name == "text_array") return dialect.text_array(arguments[0]);
      if (name == "uuids") return dialect.uuids(arguments[0]);
      break;
    case 2:
      if (name == "later") return dialect.later(arguments[0], arguments[1]);
      if (name == "greatest") return dialect.greatest(arguments[0], arguments[1]);
      break;
    default:
      break;
  }
  throw std::logic_error("no SQL word {" + std::string(text) + "}");
}

/// The `}` that closes the `{` at `open`.
std::size_t closing_brace(std::string_view sql, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < sql.size(); ++i) {
    if (sql[i] == '{') ++depth;
    if (sql[i] == '}' && --depth == 0) return i;
  }
  throw std::logic_error("unbalanced braces in SQL: " + std::string(sql));
}

}  // namespace

std::string expand(const Dialect& dialect, std::string_view sql) {
  std::string expanded;
  std::size_t position = 0;
  while (true) {
    const auto open = sql.find('{', position);
    expanded += sql.substr(position, open - position);
    if (open == std::string_view::npos) return expanded;
    const auto close = closing_brace(sql, open);
    expanded += expand_word(dialect, sql.substr(open + 1, close - open - 1));
    position = close + 1;
  }
}

}  // namespace longshore::sql
