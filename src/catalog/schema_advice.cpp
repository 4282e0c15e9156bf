#include "catalog/schema_advice.h"

#include <algorithm>

namespace longshore {
namespace {

/// As a person would write it: quoted only when it must be; MySQL's quotes are others unless its mode says so.
std::string identifier(std::string_view name, SourceDriver driver) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789_";
  const bool plain = !name.empty() && name.find_first_not_of(kPlain) == std::string_view::npos &&
                     !(name.front() >= '0' && name.front() <= '9');
  if (plain) return std::string(name);
  const char quote = driver == SourceDriver::mysql ? '`' : '"';
  std::string quoted(1, quote);
  for (const char c : name) quoted += c == quote ? std::string(2, quote) : std::string(1, c);
  return quoted + quote;
}

std::string relation_identifier(const std::string& relation, SourceDriver driver) {
  const std::size_t dot = relation.find('.');
  if (dot == std::string::npos) return identifier(relation, driver);
  return identifier(relation.substr(0, dot), driver) + "." + identifier(relation.substr(dot + 1), driver);
}

bool begins_with(const std::vector<std::string>& columns, std::size_t from, const std::vector<std::string>& key) {
  return columns.size() >= from + key.size() &&
         std::equal(key.begin(), key.end(), columns.begin() + static_cast<std::ptrdiff_t>(from));
}

}  // namespace

bool is_unique_key(const RelationInfo& relation, const std::vector<std::string>& key) {
  return std::any_of(relation.indexes.begin(), relation.indexes.end(), [&](const IndexInfo& index) {
    const auto in_key = [&](const std::string& column) {
      return std::find(key.begin(), key.end(), column) != key.end();
    };
    return index.unique && !index.partial && !index.columns.empty() &&
           std::all_of(index.columns.begin(), index.columns.end(), in_key);
  });
}

bool is_ordered_key(const RelationInfo& relation, const std::vector<std::string>& key,
                    const std::string& tenant_column) {
  // Within one tenant its column is constant, so it may be left out of the order wherever it stands first.
  std::vector<std::string> rest = key;
  if (!rest.empty() && rest.front() == tenant_column) rest.erase(rest.begin());
  return std::any_of(relation.indexes.begin(), relation.indexes.end(), [&](const IndexInfo& index) {
    if (index.partial) return false;
    const bool after_tenant = !index.columns.empty() && index.columns.front() == tenant_column;
    return begins_with(index.columns, 0, key) || begins_with(index.columns, after_tenant ? 1 : 0, rest);
  });
}

std::string join_identifiers(const std::vector<std::string>& names, SourceDriver driver) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + identifier(name, driver);
  return joined;
}

std::string create_index_statement(const std::string& relation, const std::vector<std::string>& columns, bool unique,
                                   SourceDriver driver) {
  const std::string kind = unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ";
  const std::string place = relation_identifier(relation, driver) + " (" + join_identifiers(columns, driver) + ");";
  if (driver == SourceDriver::postgres) return kind + "CONCURRENTLY ON " + place;
  std::string name = relation.substr(relation.find('.') + 1);
  for (const std::string& column : columns) name += "_" + column;
  return kind + identifier(name, driver) + " ON " + place;
}

std::string not_null_advice(const std::string& relation, const std::string& column, SourceDriver driver) {
  if (driver == SourceDriver::postgres) {
    return "ALTER TABLE " + relation_identifier(relation, driver) + " ALTER COLUMN " + identifier(column, driver) +
           " SET NOT NULL;";
  }
  if (driver == SourceDriver::mysql) {
    return "ALTER TABLE " + relation_identifier(relation, driver) + " MODIFY " + identifier(column, driver) +
           " … NOT NULL;  -- with the type that it has";
  }
  return "make the table anew with \"" + column + "\" declared NOT NULL (SQLite cannot add it later)";
}

}  // namespace longshore
