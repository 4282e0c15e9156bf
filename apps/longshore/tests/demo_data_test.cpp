#include "cli/demo_data.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>

#include "cli/demo_words.h"

namespace longshore {
namespace {

class DemoDataTest : public testing::Test {
 protected:
  DemoDataTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "longshore-demo-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~DemoDataTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const char* name) const { return directory_ / name; }

  /// The first column of all rows of a query, as text.
  static std::vector<std::string> query(const std::string& path, const char* sql) {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database, sql, -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    std::vector<std::string> rows;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      rows.emplace_back(
          text == nullptr ? "NULL" : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, 0))));
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return rows;
  }
  static std::string value(const std::string& path, const char* sql) { return query(path, sql).at(0); }

  std::filesystem::path directory_;
};

TEST_F(DemoDataTest, IsTheSameEveryTime) {
  ASSERT_TRUE(write_demo_database(path("a.db"), 3000, {}, {}));
  ASSERT_TRUE(write_demo_database(path("b.db"), 3000, {}, {}));
  for (const char* table : {"tenants", "users", "customers", "orders", "transactions", "audit_logs"}) {
    const std::string differing = std::string("ATTACH '") + path("b.db") + "' AS b";
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path("a.db").c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, differing.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    const std::string sql =
        std::string("SELECT count(*) FROM (SELECT * FROM main.") + table + " EXCEPT SELECT * FROM b." + table + ")";
    sqlite3_stmt* statement = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK);
    ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
    EXPECT_EQ(sqlite3_column_int64(statement, 0), 0) << table;
    sqlite3_finalize(statement);
    sqlite3_close(database);
  }
  // A sum over everything that is hard to get right by accident: changes of the data show here.
  EXPECT_EQ(value(path("a.db"), "SELECT min(created_at) || ' ' || max(created_at) FROM audit_logs"),
            "2026-01-01T00:00:25.213Z 2026-06-30T22:33:43.652Z");
}

TEST_F(DemoDataTest, HasFiveTenantsInTheirShares) {
  ASSERT_TRUE(write_demo_database(path("a.db"), 10'000, {}, {}));
  for (const DemoTenant& tenant : demo_tenants()) {
    const std::string sql = "SELECT count(*) FROM audit_logs WHERE tenant_id = '" + std::string(tenant.id) + "'";
    EXPECT_EQ(value(path("a.db"), sql.c_str()), std::to_string(tenant.share * 500));
  }
  EXPECT_EQ(value(path("a.db"),
                  "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id "
                  "WHERE o.tenant_id <> c.tenant_id"),
            "0");
  EXPECT_EQ(value(path("a.db"),
                  "SELECT count(*) FROM audit_logs l LEFT JOIN users u ON u.id = l.user_id AND "
                  "u.tenant_id = l.tenant_id WHERE l.user_id IS NOT NULL AND u.id IS NULL"),
            "0");
}

TEST_F(DemoDataTest, EveryTenantHasEveryAwkwardText) {
  ASSERT_TRUE(write_demo_database(path("a.db"), 10'000, {}, {}));
  const auto texts =
      query(path("a.db"),
            "SELECT DISTINCT message FROM audit_logs WHERE tenant_id = 'zenith' AND message NOT LIKE 'request %'");
  for (const std::string_view text : demo_awkward_texts()) {
    EXPECT_NE(std::find(texts.begin(), texts.end(), text), texts.end()) << "missing: " << text;
  }
}

TEST_F(DemoDataTest, HasWhatExportersGetWrong) {
  ASSERT_TRUE(write_demo_database(path("a.db"), 10'000, {}, {}));
  EXPECT_EQ(value(path("a.db"), "SELECT min(id) FROM transactions"), "9007199254740993");
  EXPECT_EQ(value(path("a.db"), "SELECT max(amount) FROM transactions"), "9999999999.99");
  for (const char* column : {"user_id", "ip_address", "user_agent", "amount", "message", "metadata"}) {
    const std::string sql = std::string("SELECT sum(") + column + " IS NULL) > 0 FROM audit_logs";
    EXPECT_EQ(value(path("a.db"), sql.c_str()), "1") << column;
  }
  EXPECT_EQ(value(path("a.db"), "SELECT sum(ip_address LIKE '2001:db8:%') > 100 FROM audit_logs"), "1");
  EXPECT_EQ(
      value(path("a.db"), "SELECT count(*) FROM audit_logs WHERE metadata IS NOT NULL AND NOT json_valid(metadata)"),
      "0");
  EXPECT_EQ(value(path("a.db"),
                  "SELECT substr(min(created_at), 1, 7) || ' ' || substr(max(created_at), 1, 7) FROM audit_logs"),
            "2026-01 2026-06");
}

TEST_F(DemoDataTest, ReadsOfATenantUseAnIndex) {
  ASSERT_TRUE(write_demo_database(path("a.db"), 1000, {}, {}));
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path("a.db").c_str(), &database), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  ASSERT_EQ(
      sqlite3_prepare_v2(database,
                         "EXPLAIN QUERY PLAN SELECT * FROM audit_logs WHERE tenant_id = 'acme' AND id > 5 ORDER BY "
                         "id LIMIT 5000",
                         -1, &statement, nullptr),
      SQLITE_OK);
  ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(statement, 3)),
               "SEARCH audit_logs USING INDEX audit_logs_by_tenant (tenant_id=? AND id>?)");
  EXPECT_EQ(sqlite3_step(statement), SQLITE_DONE) << "a sort";
  sqlite3_finalize(statement);
  sqlite3_close(database);
}

TEST_F(DemoDataTest, WritesAllFilesOnceAndNothingWhenStopped) {
  DemoDataOptions options;
  options.directory = path("sub/dir");
  options.audit_rows = 1000;
  const auto report = write_demo(options, {}, {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(std::filesystem::exists(report->database));
  EXPECT_TRUE(std::filesystem::exists(report->catalog));
  EXPECT_TRUE(std::filesystem::exists(report->configuration));
  EXPECT_EQ(write_demo(options, {}, {}).error().code, "demo_exists");

  std::stop_source stop;
  stop.request_stop();
  const auto stopped = write_demo_database(path("c.db"), 20'000, {}, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, "stopped");
  EXPECT_FALSE(std::filesystem::exists(path("c.db")));
  EXPECT_FALSE(std::filesystem::exists(path("c.db.part")));
}

}  // namespace
}  // namespace longshore
