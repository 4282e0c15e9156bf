#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scan/source_database.h"
#include "scan/tests/reading.h"

namespace longshore {

/// A test with a database of its own on a real MariaDB server: that of LONGSHORE_TEST_MARIADB, else one that the test
/// binary starts for itself and that goes away with it.
class MysqlTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Runs one statement in the test's database, with || as concatenation. Fails the test on an error.
  void run(const std::string& sql);
  /// Rows as the server's own text: an independent reading of what the scan delivers. Times are UTC.
  std::vector<TextRow> ask(const std::string& sql);
  /// Ends all sessions in the test's database but its own.
  void kill_sessions();

  const std::string& database() const { return database_; }
  /// `mysql://root@127.0.0.1:PORT/DATABASE`
  std::string url() const;

  Source source_settings() const;
  static std::unique_ptr<SourceDatabase> open(const Source& settings);
  std::unique_ptr<SourceDatabase> open() { return open(source_settings()); }
  /// All columns of a table.
  static ExportSpec spec(SourceDatabase& source, const std::string& table, const std::vector<std::string>& key);

 private:
  std::string database_;
};

Filter filter_of(const std::string& column, FilterOp op, const char* type, std::vector<std::string> values);

/// Whether a Result holds an error of this code, whose message contains these words.
template <class T>
void expect_error(const Result<T>& result, const std::string& code, const std::string& words) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_THAT(result.error().message, testing::HasSubstr(words));
}

}  // namespace longshore
