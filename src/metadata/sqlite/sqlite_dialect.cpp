#include "metadata/sqlite/sqlite_dialect.h"

#include <fmt/format.h>

namespace longshore::sql {

std::string SqliteDialect::now() const {
  return "longshore_now()";
}

std::string SqliteDialect::later(std::string_view time, std::string_view micros) const {
  return fmt::format("({} + {})", time, micros);
}

std::string SqliteDialect::micros(std::string_view time) const {
  return std::string(time);
}

std::string SqliteDialect::time(std::string_view micros) const {
  return std::string(micros);
}

std::string SqliteDialect::greatest(std::string_view a, std::string_view b) const {
  return fmt::format("max({}, {})", a, b);
}

std::string SqliteDialect::json(std::string_view text) const {
  return std::string(text);
}

std::string SqliteDialect::text_array(std::string_view json) const {
  return std::string(json);
}

std::string SqliteDialect::uuids(std::string_view json) const {
  return fmt::format("(SELECT value FROM json_each({}))", json);
}

std::string SqliteDialect::lock() const {
  return {};
}

std::string SqliteDialect::keep() const {
  return {};
}

std::string SqliteDialect::lock_kept() const {
  return {};
}

std::string SqliteDialect::skip_locked() const {
  return {};
}

std::string SqliteDialect::share_skip_locked() const {
  return {};
}

std::string SqliteDialect::migration_lock() const {
  return {};
}

}  // namespace longshore::sql
