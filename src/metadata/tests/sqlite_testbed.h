#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "metadata/sql_store.h"
#include "metadata/sqlite/sqlite_database.h"
#include "metadata/tests/job_store_contract.h"

namespace longshore {

/// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Opens and migrates a store on a SQLite file. Fails the test if it cannot.
std::unique_ptr<SqlStore> open_sqlite_store(const std::string& path, const Clock& clock);

/// Stores on one SQLite file with a ManualClock.
class SqliteTestbed final : public StoreTestbed {
 public:
  Opened open() override;
  void advance(Duration duration) override { clock_.advance(duration); }
  std::string path() const { return directory_.file("longshore.db"); }
  ManualClock& clock() { return clock_; }

 private:
  TemporaryDirectory directory_;
  ManualClock clock_;
  std::vector<std::unique_ptr<SqlStore>> stores_;
};

}  // namespace longshore
