#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/export_spec.h"
#include "model/key.h"
#include "scan/sqlite/connection.h"

namespace longshore {

/// SQL of SQLite with the values that are bound to its `?`s, in order.
struct SqliteCondition {
  struct Bind {
    SqliteValue::Storage storage = SqliteValue::Storage::null;
    std::int64_t integer = 0;
    double real = 0;
    std::string bytes;
    SqliteValue view() const { return {.storage = storage, .integer = integer, .real = real, .bytes = bytes}; }
  };
  std::string sql;
  std::vector<Bind> binds;

  /// `this AND other`; nothing counts as true.
  void add(const SqliteCondition& other);
};

/// How the key's columns are kept in the file, which decides how a key is bound: SQLite sorts every number before every
/// text before every blob, so a key of another class than the rows would compare with all of them alike.
///
/// Keys are in the stored form: integers as digits, text as it is (also UUIDs and timestamps, whatever their spelling),
/// 16-byte blobs of a UUID column as 36 characters, other blobs as `\x` and hexadecimal digits.
class SqliteKey {
 public:
  /// Looks at one row. nullopt: the relation has none. Errors: as SqliteConnection's.
  static Result<std::optional<SqliteKey>> probe(SqliteConnection& connection, const Dataset& dataset);

  /// `("a", "b") > (?, ?)`. Errors: `bad_key`.
  Result<SqliteCondition> condition(std::string_view op, const KeyTuple& key) const;
  /// The key in columns `first…` of the current row. Errors: `source_value_mismatch` when a value is of another storage
  /// class than those of the first row: then the order of rows and the comparison of keys would not agree with
  /// anything.
  Result<KeyTuple> read(const SqliteStatement& statement, int first) const;
  /// The columns, quoted.
  const std::vector<std::string>& columns() const { return columns_; }
  /// Whether the only key column is a number.
  bool is_single_number() const;

 private:
  enum class Class { number, text, blob };
  static Class class_of(SqliteValue::Storage storage);

  const Dataset* dataset_ = nullptr;
  std::vector<std::string> columns_;
  std::vector<Class> classes_;
};

/// The rows that the spec selects. Filters compare what the stored values mean, not how they are spelled: a timestamp
/// kept as text matches in any ISO form. Errors: `source_schema_changed`, `bad_filter_value`.
Result<SqliteCondition> selection(SqliteConnection& connection, const ExportSpec& spec);

/// The expression that reads a column for export.
std::string exported_expression(const Column& column);

}  // namespace longshore
