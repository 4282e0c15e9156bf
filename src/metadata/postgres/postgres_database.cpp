#include "metadata/postgres/postgres_database.h"

#include <fmt/format.h>

#include <utility>

#include "metadata/postgres/postgres_dialect.h"
#include "metadata/postgres/postgres_schema.h"
#include "metadata/postgres/postgres_transaction.h"

namespace longshore::sql {
namespace {

constexpr int kOldestServer = 130000;
/// Beyond the server's own limit: then the server or the network is gone.
constexpr Duration kSilenceBeyondTimeout = std::chrono::seconds{2};

std::string set_local(std::string_view setting, const std::string& value) {
  return fmt::format("set_config('{}', {}, true)", setting, quote_text(value));
}

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

/// One SELECT each, because a function is run where `SET LOCAL` would only be a warning: before a single statement
/// without BEGIN. What it sets holds until that statement's end.
Preambles make_preambles(const PostgresOptions& options) {
  std::string schema;
  if (!options.schema.empty()) schema = set_local("search_path", quote_identifier(options.schema));
  const std::string idle =
      set_local("idle_in_transaction_session_timeout", milliseconds(options.idle_in_transaction_timeout));
  const std::string limits = set_local("statement_timeout", milliseconds(options.statement_timeout)) + ", " +
                             set_local("lock_timeout", milliseconds(options.lock_timeout)) + ", " + idle;
  const std::string then_schema = schema.empty() ? "" : ", " + schema;
  Preambles preambles;
  if (!schema.empty()) preambles.lookup = "SELECT " + schema;
  preambles.read = "SELECT " + limits + then_schema;
  // The id is for PostgresTransaction::settle(). A transaction that writes would get one anyway.
  preambles.write = "SELECT pg_current_xact_id() AS id, " + limits + then_schema;
  // A migration waits for others that run, and may take as long as its tables are large.
  preambles.migration = "SELECT pg_current_xact_id() AS id, " + set_local("statement_timeout", "0") + ", " +
                        set_local("lock_timeout", "0") + ", " + idle + then_schema;
  return preambles;
}

PostgresConnection::Target make_target(const PostgresOptions& options, Duration answer_timeout) {
  std::string where = describe_connection(options.connection);
  if (!options.schema.empty()) where += " (schema " + options.schema + ")";
  return {options.connection, std::move(where), options.connect_timeout, answer_timeout, options.hurry};
}

}  // namespace

struct PostgresDatabase::State {
  explicit State(const PostgresOptions& options)
      : dialect(options.now, options.schema),
        preambles(make_preambles(options)),
        texts(dialect),
        pool(make_target(options, options.statement_timeout + kSilenceBeyondTimeout),
             {options.connections, options.busy_timeout, options.connections}),
        // Migrations wait without a limit of ours, and one at a time.
        migrator(make_target(options, std::chrono::hours{24}), {1, std::chrono::hours{24}, 0}),
        patience(options.reconnect_timeout) {}

  PostgresDialect dialect;
  Preambles preambles;
  StatementTexts texts;
  PostgresPool pool;
  PostgresPool migrator;
  Duration patience;
};

PostgresDatabase::PostgresDatabase(std::unique_ptr<State> state) : state_(std::move(state)) {}
PostgresDatabase::~PostgresDatabase() = default;

Result<std::unique_ptr<PostgresDatabase>> PostgresDatabase::make(const PostgresOptions& options) {
  CHECK_OK(check_connection_string(options.connection));
  auto state = std::make_unique<State>(options);
  TRY(auto connection, state->pool.acquire(Duration{}));
  const int version = connection->server_version();
  const std::string encoding = connection->parameter("server_encoding");
  state->pool.release(std::move(connection));
  if (version < kOldestServer) {
    return fail(external_error("metadata_unsupported",
                               fmt::format("the metadata store {} runs PostgreSQL {}; 13 or newer is needed",
                                           state->pool.where(), version / 10000),
                               false));
  }
  if (encoding != "UTF8") {
    return fail(external_error("metadata_unsupported",
                               fmt::format("the metadata store {} has the encoding {}: make a database with ENCODING "
                                           "'UTF8' (TEMPLATE template0)",
                                           state->pool.where(), encoding),
                               false));
  }
  return std::unique_ptr<PostgresDatabase>(new PostgresDatabase(std::move(state)));
}

Result<std::unique_ptr<Transaction>> PostgresDatabase::begin(Access access) {
  State& own = *state_;
  PostgresPool& pool = access == Access::migration ? own.migrator : own.pool;
  return PostgresTransaction::begin({pool, own.texts, own.preambles, own.patience}, access);
}

const Dialect& PostgresDatabase::dialect() const {
  return state_->dialect;
}

std::span<const Migration> PostgresDatabase::migrations() const {
  return postgres_migrations();
}

const std::string& PostgresDatabase::where() const {
  return state_->pool.where();
}

}  // namespace longshore::sql
