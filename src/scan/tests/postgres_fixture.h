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

/// Runs statements on any server and returns the rows of the last one as PostgreSQL's own text. Fails the test on an
/// error.
std::vector<TextRow> ask_server(const std::string& dsn, const std::string& sql);

/// A test with a schema of its own on a real PostgreSQL server: that of LONGSHORE_TEST_POSTGRES, else one that the test
/// binary starts for itself and that goes away with it.
class PostgresTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Runs statements; `{}` in them stands for the test's schema. Fails the test on an error.
  void run(const std::string& sql);
  /// Rows as PostgreSQL's own text: an independent reading of what the scan delivers.
  std::vector<TextRow> ask(const std::string& sql);

  /// The rows of each range as the database counts them, then those of the whole selection.
  std::vector<std::int64_t> count_ranges(const ExportSpec& spec, const std::vector<KeyRange>& ranges);

  const std::string& dsn() const { return dsn_; }
  const std::string& schema() const { return schema_; }
  std::string relation(const std::string& table) const { return schema_ + "." + table; }

  Source source_settings() const;
  std::unique_ptr<SourceDatabase> open(const Source& settings);
  std::unique_ptr<SourceDatabase> open() { return open(source_settings()); }
  /// All columns of a table of the test's schema.
  ExportSpec spec(SourceDatabase& source, const std::string& table, const std::vector<std::string>& key);

 private:
  std::string with_schema(std::string sql) const;

  std::string dsn_;
  std::string schema_;
};

/// Whether a Result holds an error of this code, whose message contains these words.
template <class T>
void expect_error(const Result<T>& result, const std::string& code, const std::string& words) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_THAT(result.error().message, testing::HasSubstr(words));
}

}  // namespace longshore
