#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scan/source_database.h"
#include "scan/tests/reading.h"

namespace longshore {

/// A database of one test's own on a real MariaDB server: that of LONGSHORE_TEST_MARIADB, else one that the test binary
/// starts for itself and that goes away with it.
class MysqlDatabase {
 public:
  MysqlDatabase();
  ~MysqlDatabase();
  MysqlDatabase(const MysqlDatabase&) = delete;
  MysqlDatabase& operator=(const MysqlDatabase&) = delete;

  /// Runs one statement in it, with || as concatenation, and returns its rows as the server's own text, times in UTC.
  std::vector<TextRow> ask(const std::string& sql) const;
  /// Ends all sessions in it but its own.
  void kill_sessions() const;

  const std::string& name() const { return name_; }
  /// `mysql://root@127.0.0.1:PORT/NAME`
  std::string url() const;
  Source source_settings() const;

 private:
  std::string name_;
};

class MysqlTest : public testing::Test {
 protected:
  /// Runs one statement in the test's database. Fails the test on an error.
  void run(const std::string& sql) { database_.ask(sql); }
  /// Rows as the server's own text: an independent reading of what the scan delivers. Times are UTC.
  std::vector<TextRow> ask(const std::string& sql) { return database_.ask(sql); }

  const std::string& database() const { return database_.name(); }
  /// `mysql://root@127.0.0.1:PORT/DATABASE`
  std::string url() const { return database_.url(); }

  Source source_settings() const { return database_.source_settings(); }
  static std::unique_ptr<SourceDatabase> open(const Source& settings);
  std::unique_ptr<SourceDatabase> open() { return open(source_settings()); }
  /// All columns of a table.
  static ExportSpec spec(SourceDatabase& source, const std::string& table, const std::vector<std::string>& key);

 private:
  MysqlDatabase database_;
};

}  // namespace longshore
