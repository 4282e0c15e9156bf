#include "metadata/sqlite/sqlite_pool.h"

#include <fmt/format.h>

#include <utility>

namespace longshore::sql {

SqlitePool::SqlitePool(std::string path, Access access, int limit, Duration busy_timeout, const Clock& clock,
                       const Dialect& dialect)
    : path_(std::move(path)),
      access_(access),
      limit_(limit),
      busy_timeout_(busy_timeout),
      clock_(clock),
      dialect_(dialect) {}

Result<std::unique_ptr<SqliteConnection>> SqlitePool::acquire() {
  {
    std::unique_lock lock(mutex_);
    // Threads of this process queue here and not at the file's lock, which can only be polled.
    if (!returned_.wait_for(lock, busy_timeout_, [this] { return lent_ < limit_; })) {
      return fail(
          external_error(kUnavailable, fmt::format("the metadata store {} is busy: {} of its connections were in use "
                                                   "for longer than {} ms",
                                                   path_, limit_, busy_timeout_.count() / 1000)));
    }
    ++lent_;
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  auto opened = SqliteConnection::open(path_, access_, busy_timeout_, clock_, dialect_);
  if (!opened) release(nullptr);
  return opened;
}

void SqlitePool::release(std::unique_ptr<SqliteConnection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (connection) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

SqliteTransaction::SqliteTransaction(SqlitePool& pool, std::unique_ptr<SqliteConnection> connection)
    : pool_(pool), connection_(std::move(connection)) {}

Result<std::unique_ptr<Transaction>> SqliteTransaction::begin(SqlitePool& pool) {
  TRY(auto connection, pool.acquire());
  // From here on the transaction's destructor returns the connection, also when BEGIN fails.
  std::unique_ptr<SqliteTransaction> transaction(new SqliteTransaction(pool, std::move(connection)));
  CHECK_OK(transaction->connection_->begin());
  return transaction;
}

SqliteTransaction::~SqliteTransaction() {
  if (!connection_->roll_back()) connection_.reset();
  pool_.release(std::move(connection_));
}

Status SqliteTransaction::commit() {
  return connection_->commit();
}

Result<Rows> SqliteTransaction::run(std::string_view sql, std::span<const Param> params) {
  return connection_->run(sql, params);
}

}  // namespace longshore::sql
