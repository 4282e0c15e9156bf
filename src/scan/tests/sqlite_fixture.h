#pragma once

#include <string>
#include <vector>

#include "scan/tests/scan_contract.h"

struct sqlite3;

namespace longshore {

/// A SQLite file in a directory of its own, with a writer beside the source.
class SqliteFile final : public ContractDatabase {
 public:
  SqliteFile();
  ~SqliteFile() override;
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  void run(const std::string& sql) override;
  std::vector<TextRow> ask(const std::string& sql) override;
  std::string series(int count) const override;
  void allow_moments() override { run("PRAGMA journal_mode = WAL"); }
  Source settings() const override;
  Source nowhere() const override;

 private:
  std::string directory_;
  sqlite3* writer_ = nullptr;
};

}  // namespace longshore
