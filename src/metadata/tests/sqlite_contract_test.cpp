#include <stdlib.h>

#include "metadata/migrate.h"
#include "metadata/tests/snapshot_contract.h"
#include "metadata/tests/sqlite_testbed.h"

namespace longshore {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "longshore-metadata-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::unique_ptr<SqlStore> open_sqlite_store(const std::string& path, const Clock& clock) {
  auto database = sql::SqliteDatabase::make({.path = path}, clock);
  EXPECT_THAT(database, Succeeded());
  if (!database) return nullptr;
  EXPECT_THAT(sql::migrate(**database), Succeeded());
  auto store = SqlStore::make(*std::move(database));
  EXPECT_THAT(store, Succeeded());
  return store ? *std::move(store) : nullptr;
}

StoreTestbed::Opened SqliteTestbed::open() {
  stores_.push_back(open_sqlite_store(path(), clock_));
  SqlStore* const store = stores_.back().get();
  return {store, store, store, store};
}

namespace {

std::unique_ptr<StoreTestbed> make_sqlite_testbed() {
  return std::make_unique<SqliteTestbed>();
}

INSTANTIATE_TEST_SUITE_P(Sqlite, JobStoreContract, testing::Values(TestbedFactory{"sqlite", make_sqlite_testbed}));
INSTANTIATE_TEST_SUITE_P(Sqlite, SnapshotContract, testing::Values(TestbedFactory{"sqlite", make_sqlite_testbed}));

}  // namespace
}  // namespace longshore
