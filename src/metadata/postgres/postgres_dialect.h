#pragma once

#include "metadata/dialect.h"

namespace longshore::sql {

/// Times are timestamptz, JSON and arrays have their types, and rows are locked one by one.
class PostgresDialect final : public Dialect {
 public:
  /// `now`: an SQL expression, see PostgresOptions. `schema`: where the tables lie; empty: where the role's own
  /// search_path leads.
  PostgresDialect(std::string now, std::string schema);

  std::string now() const override;
  std::string later(std::string_view time, std::string_view micros) const override;
  std::string micros(std::string_view time) const override;
  std::string time(std::string_view micros) const override;
  std::string greatest(std::string_view a, std::string_view b) const override;
  std::string json(std::string_view text) const override;
  std::string text_array(std::string_view json) const override;
  std::string uuids(std::string_view json) const override;
  std::string lock() const override;
  std::string keep() const override;
  std::string lock_kept() const override;
  std::string skip_locked() const override;
  std::string share_skip_locked() const override;
  /// Waits for other migrations by an advisory lock that ends with the transaction, and creates the schema.
  std::string migration_lock() const override;

 private:
  std::string now_;
  std::string schema_;
};

/// `"name"`: an identifier, whatever it holds.
std::string quote_identifier(std::string_view name);
/// `'text'`: a string constant, whatever it holds (standard_conforming_strings is on).
std::string quote_text(std::string_view text);

}  // namespace longshore::sql
