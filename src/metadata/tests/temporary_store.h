#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "metadata/migrate.h"
#include "metadata/sql_store.h"
#include "metadata/sqlite/sqlite_database.h"

namespace longshore {

/// A metadata store on a SQLite file in a directory that is gone with the test; for the tests of rooms that use one.
class TemporaryStore {
 public:
  /// Fails the test if it cannot. `clock` outlives it.
  explicit TemporaryStore(const Clock& clock) {
    directory_ = (std::filesystem::temp_directory_path() / "longshore-store-XXXXXX").string();
    if (::mkdtemp(directory_.data()) == nullptr) ADD_FAILURE() << "cannot make " << directory_;
    auto database = sql::SqliteDatabase::make({.path = path()}, clock);
    EXPECT_TRUE(database) << database.error().message;
    EXPECT_TRUE(sql::migrate(**database));
    auto store = SqlStore::make(*std::move(database));
    EXPECT_TRUE(store) << store.error().message;
    store_ = *std::move(store);
  }
  ~TemporaryStore() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  std::string path() const { return directory_ + "/jobs.db"; }
  SqlStore& operator*() const { return *store_; }
  SqlStore* operator->() const { return store_.get(); }

 private:
  std::string directory_;
  std::unique_ptr<SqlStore> store_;
};

}  // namespace longshore
