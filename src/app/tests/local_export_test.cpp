#include "app/local_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/clock.h"

namespace longshore {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kCatalog = R"yaml(sources: { app: { driver: sqlite, path: app.db } }
datasets:
  items:
    source: app
    relation: items
    tenant_column: tenant
    key: [id]
    time_column: at
    columns:
      id: { type: int64 }
      label: { type: text }
      at: { type: timestamptz }
)yaml";

class LocalExportTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = (fs::temp_directory_path() / "longshore-export-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    std::ofstream(folder_ + "/catalog.yaml") << kCatalog;
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ + "/app.db").c_str(), &database), SQLITE_OK);
    const char* sql = R"(CREATE TABLE items (id INTEGER PRIMARY KEY, tenant TEXT, label TEXT, at TEXT);
      WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < 3000)
      INSERT INTO items SELECT i, CASE i % 3 WHEN 0 THEN 'globex' ELSE 'acme' END,
        CASE i WHEN 1 THEN '=1+1' WHEN 4 THEN '货物' ELSE 'item ' || i END, '2026-06-06T14:20:00Z' FROM series)";
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
    request_.catalog_path = folder_ + "/catalog.yaml";
    request_.who = {TenantId("acme"), UserId("local"), {}, {"*"}};
    request_.output_path = folder_ + "/out";
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<LocalExportReport> run(const std::string& members) {
    request_.body = R"({"exportType":"items",)" + members + "}";
    return run_local_export(request_, [](const LocalExportProgress&) {}, {});
  }
  std::string read() {
    std::ifstream in(folder_ + "/out", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  std::string folder_;
  LocalExportRequest request_;
};

TEST_F(LocalExportTest, WritesATenantsRowsAndCountsWhatWasChanged) {
  const auto report = run(R"("format":"csv","timeZone":"Asia/Kolkata")");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->rows, 2000);
  EXPECT_THAT(report->columns, testing::ElementsAre("id", "label", "at"));
  EXPECT_EQ(report->fidelity.at(1).guarded, 1);
  const std::string text = read();
  EXPECT_EQ(report->bytes, std::ssize(text));
  EXPECT_TRUE(text.starts_with("id,label,at\r\n1,'=1+1,2026-06-06T19:50:00+05:30\r\n2,item 2,")) << text.substr(0, 80);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2001);
}

TEST_F(LocalExportTest, EveryFormatOfTheBuildMakesAFile) {
  const FormatTable formats = make_format_table();
  for (const Format* format : formats.all()) {
    const std::string& name = format->traits().name;
    const auto report = run(R"("format":")" + name + "\"");
    ASSERT_TRUE(report) << name << ": " << report.error().message;
    EXPECT_EQ(report->rows, 2000) << name;
    EXPECT_EQ(report->fidelity.size(), 3U) << name;
    EXPECT_EQ(static_cast<std::uintmax_t>(report->bytes), fs::file_size(folder_ + "/out")) << name;
    const std::string first = read();
    const auto none = run(R"("format":")" + name + R"(","filters":{"to":"2000-01-01"})");
    ASSERT_TRUE(none) << name << ": " << none.error().message;
    EXPECT_EQ(none->rows, 0) << name;
  }
}

TEST_F(LocalExportTest, WhatIsToBeOneMomentIsNotReadAnyhow) {
  std::ofstream(folder_ + "/catalog.yaml", std::ios::app) << "    consistency: [snapshot, best_effort]\n";
  const auto refused = run(R"("format":"csv")");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "snapshot_unsupported");
  EXPECT_THAT(refused.error().message, HasSubstr("say --consistency best_effort"));
  EXPECT_TRUE(run(R"("format":"csv","consistency":"best_effort")"));
}

TEST_F(LocalExportTest, RowsThatTheFormatCannotHoldAreRefusedBeforeTheyAreRead) {
  request_.limits.pdf_max_rows = 1999;
  const FormatTable formats = make_format_table(request_.limits);
  for (const Format* format : formats.all()) {
    const FormatTraits& traits = format->traits();
    if (traits.max_rows == 0 || traits.max_rows >= 2000) continue;
    const auto refused = run(R"("format":")" + traits.name + "\"");
    ASSERT_FALSE(refused) << traits.name;
    EXPECT_EQ(refused.error().code, "too_many_rows");
    EXPECT_THAT(refused.error().message, HasSubstr("holds at most 1999 rows and the export has 2000;"));
    EXPECT_FALSE(fs::exists(folder_ + "/out"));
  }
}

TEST_F(LocalExportTest, ReportsUseTheFontsThatAreConfigured) {
  request_.pdf_fonts = {.installed = false, .paths = {"/nowhere/font.ttf"}};
  const auto missing = run(R"("format":"pdf")");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "bad_font");
  EXPECT_EQ(missing.error().message, "pdf.fallback_fonts: font /nowhere/font.ttf cannot be read");
  const auto replaced = [&](const PdfFontChoice& fonts) {
    request_.pdf_fonts = fonts;
    const auto report = run(R"("format":"pdf","title":"Items","filters":{"to":"2027-01-01"})");
    EXPECT_TRUE(report) << report.error().message;
    return report ? report->fidelity.at(1).replaced : -1;
  };
  EXPECT_EQ(replaced({.installed = false, .paths = {}}), 1) << "the one label in Chinese";
  EXPECT_EQ(replaced({}), 0) << "apt-get install fonts-droid-fallback";
}

TEST_F(LocalExportTest, SaysWhatIsMissing) {
  request_.catalog_path = folder_ + "/none.yaml";
  EXPECT_EQ(run(R"("format":"csv")").error().code, "catalog_not_found");
}

}  // namespace
}  // namespace longshore
