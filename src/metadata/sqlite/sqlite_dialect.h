#pragma once

#include "metadata/dialect.h"

namespace longshore::sql {

/// Times are integers of microseconds, JSON and arrays are text, and a write transaction holds the whole database, so
/// nothing needs to be locked by row.
class SqliteDialect final : public Dialect {
 public:
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
  std::string migration_lock() const override;
};

}  // namespace longshore::sql
