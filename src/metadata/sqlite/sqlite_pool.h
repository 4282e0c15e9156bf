#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "metadata/sqlite/sqlite_connection.h"

namespace longshore::sql {

/// Connections of one kind: the writer (one), or readers (some). Thread-safe. Included only by .cpp files.
class SqlitePool {
 public:
  /// REQUIRES: `clock` and `dialect` outlive the pool.
  SqlitePool(std::string path, Access access, int limit, Duration busy_timeout, const Clock& clock,
             const Dialect& dialect);

  /// An idle connection, or a new one while there are fewer than the limit; else waits for one. Errors:
  /// `metadata_unavailable` after the busy timeout.
  Result<std::unique_ptr<SqliteConnection>> acquire();
  /// Gives a connection back; nullptr for one that is broken and was closed.
  void release(std::unique_ptr<SqliteConnection> connection);

 private:
  const std::string path_;
  const Access access_;
  const int limit_;
  const Duration busy_timeout_;
  const Clock& clock_;
  const Dialect& dialect_;

  std::mutex mutex_;
  std::condition_variable returned_;
  int lent_ = 0;
  std::vector<std::unique_ptr<SqliteConnection>> idle_;
};

/// A transaction on a connection of a pool.
class SqliteTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> begin(SqlitePool& pool);
  ~SqliteTransaction() override;
  Status commit() override;

 private:
  SqliteTransaction(SqlitePool& pool, std::unique_ptr<SqliteConnection> connection);
  Result<Rows> run(std::string_view sql, std::span<const Param> params) override;

  SqlitePool& pool_;
  std::unique_ptr<SqliteConnection> connection_;
};

}  // namespace longshore::sql
