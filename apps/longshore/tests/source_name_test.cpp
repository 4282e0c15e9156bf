#include "cli/source_name.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace longshore {
namespace {

class SourceNameTest : public testing::Test {
 protected:
  SourceNameTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "longshore-dsn-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    std::ofstream(directory_ / "app.db", std::ios::binary) << std::string("SQLite format 3\0rest", 20);
    std::ofstream(directory_ / "text.txt") << "this is no database";
  }
  ~SourceNameTest() override { std::filesystem::remove_all(directory_); }
  std::string path(const char* name) const { return directory_ / name; }
  std::filesystem::path directory_;
};

TEST_F(SourceNameTest, KnowsPostgres) {
  for (const char* dsn : {"postgres://u:p@h/db", "postgresql:///db", "host=h dbname=d", "dbname=d"}) {
    const auto source = source_of_dsn(dsn, "app");
    ASSERT_TRUE(source) << dsn;
    EXPECT_EQ(source->driver, SourceDriver::postgres);
    EXPECT_EQ(source->primary, dsn);
    EXPECT_EQ(source->name, "app");
  }
}

TEST_F(SourceNameTest, KnowsMysql) {
  for (const char* dsn : {"mysql://u:p@h/db", "mariadb://u@h:3307/db"}) {
    const auto source = source_of_dsn(dsn, "app");
    ASSERT_TRUE(source) << dsn;
    EXPECT_EQ(source->driver, SourceDriver::mysql);
    EXPECT_EQ(source->primary, dsn);
  }
}

TEST_F(SourceNameTest, KnowsSqlite) {
  for (const std::string& dsn : {path("app.db"), "sqlite:" + path("app.db"), "sqlite://" + path("app.db")}) {
    const auto source = source_of_dsn(dsn, "app");
    ASSERT_TRUE(source) << dsn;
    EXPECT_EQ(source->driver, SourceDriver::sqlite);
    EXPECT_EQ(source->path, path("app.db")) << dsn;
  }
}

TEST_F(SourceNameTest, SaysWhatIsWrong) {
  EXPECT_EQ(source_of_dsn(path("none.db"), "app").error().code, "source_not_found");
  EXPECT_EQ(source_of_dsn(path("text.txt"), "app").error().message, path("text.txt") + " is not a SQLite database");
  const auto other = source_of_dsn("oracle://user:secret@h/db", "app");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message,
            "\"oracle://\" names no kind of database that there is; write postgres://…, \"host=… dbname=…\", mysql://… "
            "or sqlite:PATH");
}

}  // namespace
}  // namespace longshore
