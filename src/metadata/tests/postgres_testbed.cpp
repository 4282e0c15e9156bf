#include "metadata/tests/postgres_testbed.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "metadata/migrate.h"

namespace longshore {

ServerScript::ServerScript(std::vector<std::string> arguments) {
  std::array<int, 2> to_server{};
  std::array<int, 2> from_server{};
  if (::pipe2(to_server.data(), O_CLOEXEC) != 0 || ::pipe2(from_server.data(), O_CLOEXEC) != 0) std::abort();
  arguments.insert(arguments.begin(), "python3");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(to_server[0], 0);
    ::dup2(from_server[1], 1);
    ::execvp("python3", argv.data());
    ::_exit(127);
  }
  ::close(to_server[0]);
  ::close(from_server[1]);
  input_ = to_server[1];
  output_ = from_server[0];
  dsn_ = read_line();
  if (dsn_.empty()) {
    ADD_FAILURE() << arguments[1] << " did not start; is everything installed (scripts/install.sh test)?";
  }
}

ServerScript::~ServerScript() {
  ::close(input_);
  ::close(output_);
  ::waitpid(process_, nullptr, 0);
}

std::string ServerScript::read_line() const {
  std::string line;
  char c = 0;
  while (::read(output_, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

void ServerScript::tell(const std::string& line) {
  const std::string text = line + "\n";
  ASSERT_EQ(::write(input_, text.data(), text.size()), static_cast<::ssize_t>(text.size()));
  ASSERT_FALSE(read_line().empty());
}

const std::string& postgres_dsn() {
  static const std::string dsn = [] {
    if (const char* given = std::getenv("LONGSHORE_TEST_POSTGRES")) return std::string(given);
    static const ServerScript server({LONGSHORE_POSTGRES_SERVER, "serve"});
    return server.dsn();
  }();
  return dsn;
}

const std::string& pgbouncer_dsn() {
  static const ServerScript pooler(
      {LONGSHORE_PGBOUNCER, "serve", "127.0.0.1", std::to_string(port_of(postgres_dsn()))});
  return pooler.dsn();
}

int port_of(const std::string& dsn) {
  return std::atoi(dsn.c_str() + dsn.find("port=") + 5);
}

std::string with_port(const std::string& dsn, int port) {
  const auto begin = dsn.find("port=") + 5;
  return dsn.substr(0, begin) + std::to_string(port) + dsn.substr(dsn.find(' ', begin));
}

namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

Connection connect(const std::string& dsn) {
  Connection connection(PQconnectdb(dsn.c_str()), &PQfinish);
  EXPECT_EQ(PQstatus(connection.get()), CONNECTION_OK) << PQerrorMessage(connection.get());
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

std::vector<TextRow> run_sql(PGconn* connection, const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection, sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) << PQerrorMessage(connection) << sql;
  std::vector<TextRow> rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    TextRow values;
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      if (PQgetisnull(result.get(), row, column) != 0) {
        values.emplace_back();
      } else {
        values.emplace_back(PQgetvalue(result.get(), row, column));
      }
    }
    rows.push_back(std::move(values));
  }
  return rows;
}

}  // namespace

std::vector<TextRow> ask(const std::string& dsn, const std::string& sql) {
  return run_sql(connect(dsn).get(), sql);
}

TemporarySchema::TemporarySchema() {
  static int number = 0;
  name_ = "metadata_test_" + std::to_string(::getpid()) + "_" + std::to_string(++number);
  longshore::ask(postgres_dsn(), "CREATE SCHEMA " + name_);
}

TemporarySchema::~TemporarySchema() {
  longshore::ask(postgres_dsn(), "DROP SCHEMA IF EXISTS " + name_ + " CASCADE");
}

std::vector<TextRow> TemporarySchema::ask(const std::string& sql) const {
  // Asked often, so on a session of the thread's own.
  thread_local const Connection connection = connect(postgres_dsn());
  return run_sql(connection.get(), "SET search_path = " + name_ + "; " + sql);
}

std::unique_ptr<SqlStore> open_postgres_store(const sql::PostgresOptions& options) {
  auto database = sql::PostgresDatabase::make(options);
  EXPECT_THAT(database, Succeeded());
  if (!database) return nullptr;
  EXPECT_THAT(sql::migrate(**database), Succeeded());
  auto store = SqlStore::make(*std::move(database));
  EXPECT_THAT(store, Succeeded());
  return store ? *std::move(store) : nullptr;
}

PostgresTestbed::PostgresTestbed(std::string dsn) : dsn_(std::move(dsn)) {
  schema_.ask(
      "CREATE TABLE test_clock (at timestamptz); INSERT INTO test_clock VALUES ('2026-06-06T14:20:00.123456Z')");
}

sql::PostgresOptions PostgresTestbed::options() const {
  sql::PostgresOptions options;
  options.connection = dsn_;
  options.schema = schema_.name();
  options.now = "(SELECT at FROM test_clock)";
  return options;
}

StoreTestbed::Opened PostgresTestbed::open() {
  stores_.push_back(open_postgres_store(options()));
  SqlStore* const store = stores_.back().get();
  return {store, store, store, store};
}

void PostgresTestbed::advance(Duration duration) {
  schema_.ask("UPDATE test_clock SET at = at + " + std::to_string(duration.count()) + " * interval '1 microsecond'");
}

}  // namespace longshore
