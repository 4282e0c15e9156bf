#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "metadata/sql.h"

namespace longshore::sql {

struct SqliteOptions {
  std::string path;                                  ///< created when missing; its directory must exist
  Duration busy_timeout = std::chrono::seconds{10};  ///< how long a transaction waits for the lock of another
  int readers = 4;                                   ///< connections that read beside the one that writes
};

/// A SQLite file in WAL mode: one writer at a time over all processes that share it, readers beside it. The file must
/// be on a local disk. Durable: a commit is on the disk when commit() returns (synchronous = FULL).
class SqliteDatabase final : public Database {
 public:
  /// Opens the file. `clock` is the database's time and must outlive it. Errors: `metadata_unavailable` (missing
  /// directory, no permission, read-only), `metadata_corrupt` (not a SQLite database).
  static Result<std::unique_ptr<SqliteDatabase>> make(const SqliteOptions& options, const Clock& clock);
  ~SqliteDatabase() override;

  Result<std::unique_ptr<Transaction>> begin(Access access) override;
  const Dialect& dialect() const override;
  std::span<const Migration> migrations() const override;
  const std::string& where() const override;

 private:
  struct State;
  explicit SqliteDatabase(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace longshore::sql
