#include "metadata/migrate.h"

#include <fmt/format.h>

#include "metadata/dialect.h"

namespace longshore::sql {
namespace {

int newest_known(const Database& database) {
  return database.migrations().empty() ? 0 : database.migrations().back().version;
}

Error schema_newer(const Database& database, std::int64_t found) {
  Error error = external_error(
      "metadata_schema_newer",
      fmt::format(
          "the metadata store {} has schema version {}, but this build of Longshore knows only up to {}: a newer "
          "release has used it. Run that release, or point this one at another store.",
          database.where(), found, newest_known(database)),
      false);
  return error;
}

/// The highest migration applied; 0 when there is none. REQUIRES: the table exists.
Result<std::int64_t> applied_version(Transaction& transaction) {
  TRY(const Rows rows, transaction.query("SELECT coalesce(max(version), 0) AS version FROM schema_migrations"));
  return rows[0].integer("version");
}

/// Takes the migration lock and makes sure that the table of migrations exists; returns the version applied.
Result<std::int64_t> enter(Database& database, Transaction& transaction) {
  const std::string lock = database.dialect().migration_lock();
  if (!lock.empty()) CHECK_OK(transaction.execute(lock));
  CHECK_OK(
      transaction.execute("CREATE TABLE IF NOT EXISTS schema_migrations ("
                          "version integer PRIMARY KEY, name text NOT NULL, applied_at bigint NOT NULL)"));
  return applied_version(transaction);
}

/// Applies the next migration, if there is one; false when the schema is complete.
Result<bool> apply_next(Database& database, Transaction& transaction) {
  TRY(const std::int64_t applied, enter(database, transaction));
  if (applied > newest_known(database)) return fail(schema_newer(database, applied));
  if (applied == newest_known(database)) return false;
  const Migration& next = database.migrations()[static_cast<std::size_t>(applied)];
  for (const char* statement : next.statements) {
    if (auto done = transaction.execute(statement); !done) {
      return fail(std::move(done).error().with_context(fmt::format("migration {} ({})", next.version, next.name)));
    }
  }
  CHECK_OK(
      transaction.execute("INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, {micros {now}})",
                          {next.version, next.name}));
  return true;
}

}  // namespace

Status migrate(Database& database) {
  // Most starts find nothing to do: they take no lock and need no right to change the schema.
  if (check_schema(database)) return {};
  while (true) {
    // The version is read again under each transaction's lock, so a migration that another process has just applied is
    // not applied twice.
    TRY(const bool again, transact(database, Access::migration,
                                   [&](Transaction& transaction) { return apply_next(database, transaction); }));
    if (!again) return {};
  }
}

Status check_schema(Database& database) {
  const auto applied =
      transact(database, Access::lookup, [](Transaction& transaction) { return applied_version(transaction); });
  // Without the table the statement itself is wrong: nothing has ever been migrated.
  if (!applied && applied.error().code != kStatement) return fail(applied.error());
  const std::int64_t found = applied ? *applied : 0;
  if (found > newest_known(database)) return fail(schema_newer(database, found));
  if (found < newest_known(database)) {
    return fail(
        user_error("metadata_schema_older",
                   fmt::format("the metadata store {} has schema version {}, this build needs {}: migrate it first",
                               database.where(), found, newest_known(database))));
  }
  return {};
}

}  // namespace longshore::sql
