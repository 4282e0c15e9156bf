#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "metadata/migrate.h"
#include "metadata/sql_store.h"
#include "metadata/sqlite/sqlite_database.h"
#include "model/dataset.h"

namespace longshore {

/// A store in a SQLite file of its own.
class BudgetTestbed {
 public:
  BudgetTestbed() {
    std::string name = (std::filesystem::temp_directory_path() / "longshore-budget-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
    path_ = name;
  }
  ~BudgetTestbed() {
    stores_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  BudgetTestbed(const BudgetTestbed&) = delete;
  BudgetTestbed& operator=(const BudgetTestbed&) = delete;

  /// As another process would open it.
  SourcePlaces& open() {
    auto database = sql::SqliteDatabase::make({.path = path_ + "/longshore.db"}, clock_);
    EXPECT_TRUE(database);
    EXPECT_TRUE(sql::migrate(**database));
    auto store = SqlStore::make(*std::move(database));
    EXPECT_TRUE(store);
    stores_.push_back(*std::move(store));
    return *stores_.back();
  }

 private:
  std::string path_;
  SystemClock clock_;
  std::vector<std::unique_ptr<SqlStore>> stores_;
};

inline Source source_of(int connections) {
  Source source;
  source.name = "app";
  source.driver = SourceDriver::postgres;
  source.max_connections = connections;
  return source;
}

/// Polls until it is so; fails the test after half a minute.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 3000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return false;
}

}  // namespace longshore
