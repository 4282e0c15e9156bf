#include "metadata/sql.h"

#include <charconv>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

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

bool Retries::again(Error& error) {
  // A deadlock takes a server a second to find, so a handful of them is already too much. A connection that breaks
  // twice in a row breaks for a reason.
  constexpr int kMaxConflicts = 5;
  constexpr int kMaxDisconnections = 2;
  if (error.code == kDisconnected && disconnections_ < kMaxDisconnections) {
    ++disconnections_;
    return true;
  }
  if (error.code == kConflict && conflicts_ < kMaxConflicts) {
    thread_local std::minstd_rand random(std::random_device{}());
    const int most = 5 << conflicts_++;  // 5 … 80 ms
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<>(1, most)(random)));
    return true;
  }
  if (error.code == kConflict || error.code == kDisconnected) error.code = kUnavailable;
  return false;
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
