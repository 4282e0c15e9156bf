#include "scan/sql_text.h"

namespace longshore {

namespace {

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result += quote;
    result += c;
  }
  result += quote;
  return result;
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  return quoted(name, '"');
}

std::string quote_relation(std::string_view relation) {
  const std::size_t dot = relation.find('.');
  if (dot == std::string_view::npos) return quote_identifier(relation);
  return quote_identifier(relation.substr(0, dot)) + "." + quote_identifier(relation.substr(dot + 1));
}

std::string quote_text(std::string_view text) {
  return quoted(text, '\'');
}

std::string_view comparison_operator(FilterOp op) {
  switch (op) {
    case FilterOp::gte:
      return ">=";
    case FilterOp::gt:
      return ">";
    case FilterOp::lte:
      return "<=";
    case FilterOp::lt:
      return "<";
    case FilterOp::eq:
    case FilterOp::in:
    case FilterOp::is_null:
      break;
  }
  return "=";
}

std::string compare_rows(const std::vector<std::string>& columns, std::string_view op,
                         const std::vector<std::string>& values) {
  if (columns.size() == 1) return columns[0] + " " + std::string(op) + " " + values[0];
  return "(" + join(columns, ", ") + ") " + std::string(op) + " (" + join(values, ", ") + ")";
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += between;
    text += part;
  }
  return text;
}

}  // namespace longshore
