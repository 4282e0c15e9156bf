#include "metadata/sql.h"

#include <charconv>
#include <stdexcept>

namespace longshore::sql {

const Cell& Row::cell(std::string_view column) const {
  const auto& columns = rows_->columns_;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == column) return rows_->cells_[index_ * columns.size() + i];
  }
  throw std::logic_error("the statement returns no column " + std::string(column));
}

bool Row::is_null(std::string_view column) const {
  return std::holds_alternative<std::monostate>(cell(column));
}

std::int64_t Row::integer(std::string_view column) const {
  const Cell& value = cell(column);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  const auto* digits = std::get_if<std::string>(&value);
  if (digits == nullptr) return 0;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits->data(), digits->data() + digits->size(), number);
  if (error != std::errc{} || end != digits->data() + digits->size()) {
    throw std::logic_error("column " + std::string(column) + " is not an integer");
  }
  return number;
}

std::string Row::text(std::string_view column) const {
  const Cell& value = cell(column);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (std::holds_alternative<std::monostate>(value)) return {};
  return std::to_string(std::get<std::int64_t>(value));
}

Timestamp Row::time(std::string_view column) const {
  if (is_null(column)) throw std::logic_error("column " + std::string(column) + " is NULL");
  return Timestamp{Duration{integer(column)}};
}

std::optional<Timestamp> Row::optional_time(std::string_view column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

}  // namespace longshore::sql
