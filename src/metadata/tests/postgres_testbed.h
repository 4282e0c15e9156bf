#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metadata/postgres/postgres_database.h"
#include "metadata/sql_store.h"
#include "metadata/tests/job_store_contract.h"

namespace longshore {

/// A server that this process starts by a script of tests/ and that goes away with it.
class ServerScript {
 public:
  explicit ServerScript(std::vector<std::string> arguments);
  ~ServerScript();
  ServerScript(const ServerScript&) = delete;
  ServerScript& operator=(const ServerScript&) = delete;

  const std::string& dsn() const { return dsn_; }
  /// Sends a line and waits for the one that answers it.
  void tell(const std::string& line);

 private:
  std::string read_line() const;

  int process_ = 0;
  int input_ = -1;
  int output_ = -1;
  std::string dsn_;
};

/// A PostgreSQL server shared by the tests of this process: that of LONGSHORE_TEST_POSTGRES, else one of our own.
const std::string& postgres_dsn();
/// A pgbouncer in transaction mode before it.
const std::string& pgbouncer_dsn();
/// The port in a DSN that one of the scripts printed.
int port_of(const std::string& dsn);
/// The same DSN with another port.
std::string with_port(const std::string& dsn, int port);

using TextRow = std::vector<std::optional<std::string>>;
/// Runs SQL on a connection of its own, beside the store. Fails the test on an error.
std::vector<TextRow> ask(const std::string& dsn, const std::string& sql);

/// A schema of its own on the shared server, removed at the end.
class TemporarySchema {
 public:
  TemporarySchema();
  ~TemporarySchema();
  TemporarySchema(const TemporarySchema&) = delete;
  TemporarySchema& operator=(const TemporarySchema&) = delete;
  const std::string& name() const { return name_; }
  /// Runs SQL with the schema in the search path.
  std::vector<TextRow> ask(const std::string& sql) const;

 private:
  std::string name_;
};

/// Opens and migrates a store. Fails the test if it cannot.
std::unique_ptr<SqlStore> open_postgres_store(const sql::PostgresOptions& options);

/// Stores in a schema of their own, with a clock that is a table.
class PostgresTestbed final : public StoreTestbed {
 public:
  /// `dsn`: where stores connect to, the server itself or a pooler before it.
  explicit PostgresTestbed(std::string dsn);
  Opened open() override;
  void advance(Duration duration) override;
  sql::PostgresOptions options() const;
  const TemporarySchema& schema() const { return schema_; }

 private:
  std::string dsn_;
  TemporarySchema schema_;
  std::vector<std::unique_ptr<SqlStore>> stores_;
};

}  // namespace longshore
