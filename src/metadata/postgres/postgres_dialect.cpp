#include "metadata/postgres/postgres_dialect.h"

#include <fmt/format.h>

#include <utility>

namespace longshore::sql {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result += quote;
    result += c;
  }
  return result + quote;
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  return quoted(name, '"');
}

std::string quote_text(std::string_view text) {
  return quoted(text, '\'');
}

PostgresDialect::PostgresDialect(std::string now, std::string schema)
    : now_(std::move(now)), schema_(std::move(schema)) {}

std::string PostgresDialect::now() const {
  return now_;
}

// Every parameter is cast where it is used for a time, so that the same one can also be stored as a number: PostgreSQL
// gives a parameter one type for the whole statement. A number of microseconds is exact in the double that it is
// multiplied as up to 2^53: 285 years.
std::string PostgresDialect::later(std::string_view time, std::string_view micros) const {
  return fmt::format("({} + ({})::bigint * interval '1 microsecond')", time, micros);
}

std::string PostgresDialect::micros(std::string_view time) const {
  return fmt::format("(extract(epoch FROM {}) * 1000000)::bigint", time);
}

std::string PostgresDialect::time(std::string_view micros) const {
  return fmt::format("(timestamptz 'epoch' + ({})::bigint * interval '1 microsecond')", micros);
}

std::string PostgresDialect::greatest(std::string_view a, std::string_view b) const {
  return fmt::format("greatest({}, {})", a, b);
}

// json and not jsonb: it is kept as it is written. Assigned to a column of jsonb it is converted.
std::string PostgresDialect::json(std::string_view text) const {
  return fmt::format("({})::json", text);
}

// text[]: assigned to a column of varchar(n)[], an element that is too long is an error. A cast to that would cut it.
std::string PostgresDialect::text_array(std::string_view json) const {
  return fmt::format("ARRAY(SELECT json_array_elements_text(({})::json))", json);
}

std::string PostgresDialect::uuids(std::string_view json) const {
  return fmt::format("(SELECT value::uuid FROM json_array_elements_text(({})::json) AS value)", json);
}

std::string PostgresDialect::lock() const {
  return "FOR UPDATE";
}

std::string PostgresDialect::keep() const {
  return "FOR KEY SHARE";
}

std::string PostgresDialect::lock_kept() const {
  return "FOR NO KEY UPDATE";
}

std::string PostgresDialect::skip_locked() const {
  return "FOR UPDATE SKIP LOCKED";
}

std::string PostgresDialect::share_skip_locked() const {
  return "FOR SHARE SKIP LOCKED";
}

std::string PostgresDialect::migration_lock() const {
  const std::string schema = schema_.empty() ? "coalesce(current_schema(), '')" : quote_text(schema_);
  std::string sql =
      "DO $do$ BEGIN PERFORM pg_advisory_xact_lock(hashtextextended('longshore metadata ' || " + schema + ", 0));";
  if (!schema_.empty()) {
    // Asked first, because CREATE SCHEMA IF NOT EXISTS wants the right to create one even if there is nothing to do.
    sql += " IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = " + quote_text(schema_) + ") THEN CREATE SCHEMA " +
           quote_identifier(schema_) + "; END IF;";
  }
  return sql + " END $do$";
}

}  // namespace longshore::sql
