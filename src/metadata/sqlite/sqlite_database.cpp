#include "metadata/sqlite/sqlite_database.h"

#include <utility>

#include "metadata/sqlite/sqlite_dialect.h"
#include "metadata/sqlite/sqlite_pool.h"
#include "metadata/sqlite/sqlite_schema.h"

namespace longshore::sql {

struct SqliteDatabase::State {
  State(const SqliteOptions& options, const Clock& clock)
      : path(options.path),
        writer(path, Access::write, 1, options.busy_timeout, clock, dialect),
        readers(path, Access::read, options.readers, options.busy_timeout, clock, dialect) {}

  std::string path;
  SqliteDialect dialect;
  SqlitePool writer;
  SqlitePool readers;
};

SqliteDatabase::SqliteDatabase(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteDatabase::~SqliteDatabase() = default;

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::make(const SqliteOptions& options, const Clock& clock) {
  auto state = std::make_unique<State>(options, clock);
  // The first writer creates the file and switches it to WAL, so that readers find it so. Taking and giving back its
  // lock proves that this process may write.
  TRY(const auto transaction, SqliteTransaction::begin(state->writer));
  return std::unique_ptr<SqliteDatabase>(new SqliteDatabase(std::move(state)));
}

Result<std::unique_ptr<Transaction>> SqliteDatabase::begin(Access access) {
  const bool writes = access == Access::write || access == Access::migration;
  return SqliteTransaction::begin(writes ? state_->writer : state_->readers);
}

const Dialect& SqliteDatabase::dialect() const {
  return state_->dialect;
}

std::span<const Migration> SqliteDatabase::migrations() const {
  return sqlite_migrations();
}

const std::string& SqliteDatabase::where() const {
  return state_->path;
}

}  // namespace longshore::sql
