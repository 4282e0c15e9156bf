#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "metadata/sql.h"

namespace longshore::sql {

struct PostgresOptions {
  /// As libpq takes it: `host=… dbname=… user=…` or `postgresql://…`; several hosts for failover. May lead through
  /// pgbouncer in transaction mode: nothing here outlives its transaction.
  std::string connection;
  /// Where the tables lie; migrate() makes it. Empty: where the role's own search_path leads (`public`).
  std::string schema;
  int connections = 8;                               ///< at most, for this process
  Duration busy_timeout = std::chrono::seconds{10};  ///< how long a transaction waits for one of them
  /// How long a write waits for a server that is away before it fails; what only reads fails at once.
  Duration reconnect_timeout = std::chrono::seconds{3};
  Duration connect_timeout = std::chrono::seconds{3};  ///< of one attempt at one address; whole seconds, at least 2
  Duration statement_timeout = std::chrono::seconds{10};
  Duration lock_timeout = std::chrono::seconds{5};
  /// A process that stops in the middle of a transaction (a stopped container, a cut network) holds its locks so long.
  Duration idle_in_transaction_timeout = std::chrono::seconds{5};
  /// The database's time as an SQL expression that is the same all through a statement; tests put a clock of their own
  /// here. Not the time at which the transaction began: one that waited for a lock would give out leases that are
  /// older than they should be.
  std::string now = "statement_timestamp()";
  /// Once it is requested, nobody waits any longer for a server that is away or silent: writes fail as reads do, and
  /// answers must come within half a second. For a process that ends; others' leases take care of the rest.
  std::stop_token hurry;
};

/// A PostgreSQL server (13 or newer), through a pool of connections. Thread-safe.
///
/// Each statement is one round trip: parameters travel with it, nothing is prepared, and what a transaction needs
/// before its first statement travels with that. A connection that breaks is replaced; a transaction that it took along
/// is begun again if it cannot have been committed. When the answer to a COMMIT is lost, the server is asked what
/// became of it, so that commit() rarely has to say that it does not know (`metadata_unavailable`).
class PostgresDatabase final : public Database {
 public:
  /// Connects once. Errors: `bad_metadata_connection` (no connection string; user), `metadata_unsupported` (an old
  /// server, or a database that is not UTF-8; external, final), `metadata_unavailable`.
  static Result<std::unique_ptr<PostgresDatabase>> make(const PostgresOptions& options);
  ~PostgresDatabase() override;

  Result<std::unique_ptr<Transaction>> begin(Access access) override;
  const Dialect& dialect() const override;
  std::span<const Migration> migrations() const override;
  const std::string& where() const override;

 private:
  struct State;
  explicit PostgresDatabase(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace longshore::sql
