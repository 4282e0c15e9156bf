#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scan/source_database.h"
#include "scan/tests/reading.h"

namespace longshore {

/// Runs statements on any server and returns the rows of the last one as PostgreSQL's own text. Fails the test on an
/// error.
std::vector<TextRow> ask_server(const std::string& dsn, const std::string& sql);

/// A schema of one test's own on a real PostgreSQL server: that of LONGSHORE_TEST_POSTGRES, else one that the test
/// binary starts for itself and that goes away with it.
class PostgresSchema {
 public:
  PostgresSchema();
  ~PostgresSchema();
  PostgresSchema(const PostgresSchema&) = delete;
  PostgresSchema& operator=(const PostgresSchema&) = delete;

  const std::string& dsn() const { return dsn_; }
  const std::string& name() const { return name_; }
  /// Runs statements; `{}` in them stands for the schema's name. Returns the rows of the last one.
  std::vector<TextRow> ask(std::string sql) const;
  Source source_settings() const;

 private:
  std::string dsn_;
  std::string name_;
};

class PostgresTest : public testing::Test {
 protected:
  /// Runs statements; `{}` in them stands for the test's schema. Fails the test on an error.
  void run(const std::string& sql) { schema_.ask(sql); }
  /// Rows as PostgreSQL's own text: an independent reading of what the scan delivers.
  std::vector<TextRow> ask(const std::string& sql) { return schema_.ask(sql); }

  /// The rows of each range as the database counts them, then those of the whole selection.
  std::vector<std::int64_t> count_ranges(const ExportSpec& spec, const std::vector<KeyRange>& ranges);

  const std::string& dsn() const { return schema_.dsn(); }
  const std::string& schema() const { return schema_.name(); }
  std::string relation(const std::string& table) const { return schema() + "." + table; }

  Source source_settings() const { return schema_.source_settings(); }
  std::unique_ptr<SourceDatabase> open(const Source& settings);
  std::unique_ptr<SourceDatabase> open() { return open(source_settings()); }
  /// All columns of a table of the test's schema.
  ExportSpec spec(SourceDatabase& source, const std::string& table, const std::vector<std::string>& key);

 private:
  PostgresSchema schema_;
};

}  // namespace longshore
