#include "scan/tests/sqlite_fixture.h"

#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>

namespace longshore {

SqliteFile::SqliteFile() {
  std::string pattern = (std::filesystem::temp_directory_path() / "longshore-scan-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  directory_ = pattern;
  if (sqlite3_open(settings().path.c_str(), &writer_) != SQLITE_OK) std::abort();
}

SqliteFile::~SqliteFile() {
  sqlite3_close(writer_);
  std::filesystem::remove_all(directory_);
}

void SqliteFile::run(const std::string& sql) {
  char* problem = nullptr;
  EXPECT_EQ(sqlite3_exec(writer_, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem << ": " << sql;
  sqlite3_free(problem);
}

std::vector<TextRow> SqliteFile::ask(const std::string& sql) {
  std::vector<TextRow> rows;
  const auto add = [](void* rows_pointer, int columns, char** values, char**) {
    TextRow row;
    for (int i = 0; i < columns; ++i) {
      row.push_back(values[i] == nullptr ? std::nullopt : std::optional<std::string>(values[i]));
    }
    static_cast<std::vector<TextRow>*>(rows_pointer)->push_back(std::move(row));
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(writer_, sql.c_str(), add, &rows, nullptr), SQLITE_OK) << sqlite3_errmsg(writer_);
  return rows;
}

std::string SqliteFile::series(int count) const {
  return "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(count) +
         ") SELECT i FROM n) AS s";
}

Source SqliteFile::settings() const {
  Source source;
  source.name = "app";
  source.path = directory_ + "/data.db";
  return source;
}

Source SqliteFile::nowhere() const {
  Source source = settings();
  source.path = directory_ + "/nothing.db";
  return source;
}

}  // namespace longshore
