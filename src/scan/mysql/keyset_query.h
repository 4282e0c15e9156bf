#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/export_spec.h"
#include "model/key.h"
#include "scan/mysql/column_type.h"

/// The parts of the statements that every reader of a dataset builds, as SQL of MySQL and MariaDB. Every statement
/// calls the relation `r`.
namespace longshore {

/// The rows that the spec selects. The tenant is compared twice: by its column's own rules, which an index serves, and
/// byte for byte, so that a collation without case does not show one tenant the rows of another.
/// Errors: `source_schema_changed`, `bad_filter_value`.
Result<std::string> selection(const ExportSpec& spec, const std::vector<MysqlColumn>& columns);
/// Only the tenant's rows.
Result<std::string> tenant_selection(const ExportSpec& spec, const std::vector<MysqlColumn>& columns);

/// `"app"."audit_logs" AS r`.
std::string from_mysql_relation(const Dataset& dataset);

/// A dataset's key columns: how they are named, compared and read.
class MysqlKey {
 public:
  /// Errors: `source_schema_changed` when a column is not there.
  static Result<MysqlKey> make(const Dataset& dataset, const std::vector<MysqlColumn>& columns);

  /// `r."id"`, in key order.
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<MysqlColumn>& columns() const { return columns_; }
  const std::vector<MysqlWireColumn>& wire() const { return wire_; }

  /// The rows behind (`>`) or up to (`<=`) a key, in the order of the key. Not as a row comparison, `(a, b) > (1, 2)`:
  /// for it MariaDB reads the whole index from the beginning (measured: 50,000 entries to return 100 rows), while it
  /// makes two short ranges of `a > 1 OR (a = 1 AND b > 2)`. Errors: `bad_key`.
  Result<std::string> behind(const KeyTuple& key) const;
  Result<std::string> up_to(const KeyTuple& key) const;
  /// Before a key, without it.
  Result<std::string> before(const KeyTuple& key) const;

 private:
  Result<std::string> compare(const KeyTuple& key, std::string_view strict, std::string_view last) const;

  std::string dataset_;
  std::vector<std::string> names_;
  std::vector<MysqlColumn> columns_;
  std::vector<MysqlWireColumn> wire_;
};

}  // namespace longshore
