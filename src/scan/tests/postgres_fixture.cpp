#include "scan/tests/postgres_fixture.h"

#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>

#include "scan/postgres/keyset_query.h"
#include "scan/tests/server_process.h"

namespace longshore {

namespace {

std::string server_dsn() {
  if (const char* given = std::getenv("LONGSHORE_TEST_POSTGRES")) return given;
  static const ServerProcess server(LONGSHORE_POSTGRES_SERVER);
  return server.address();
}

struct FreeConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, FreeConnection>;
using ResultHandle = std::unique_ptr<PGresult, FreeResult>;

ResultHandle execute(const std::string& dsn, const std::string& sql) {
  const Connection connection(PQconnectdb(dsn.c_str()));
  EXPECT_EQ(PQstatus(connection.get()), CONNECTION_OK) << PQerrorMessage(connection.get());
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const ResultHandle settings(PQexec(
      connection.get(), "SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET application_name = 'longshore test'"));
  ResultHandle result(PQexec(connection.get(), sql.c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) << PQerrorMessage(connection.get()) << sql;
  return result;
}

}  // namespace

std::vector<TextRow> ask_server(const std::string& dsn, const std::string& sql) {
  const ResultHandle result = execute(dsn, sql);
  std::vector<TextRow> rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    TextRow values;
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      if (PQgetisnull(result.get(), row, column) != 0) {
        values.emplace_back();
      } else {
        values.emplace_back(std::string(PQgetvalue(result.get(), row, column),
                                        static_cast<std::size_t>(PQgetlength(result.get(), row, column))));
      }
    }
    rows.push_back(std::move(values));
  }
  return rows;
}

PostgresSchema::PostgresSchema() : dsn_(server_dsn()) {
  if (dsn_.empty()) ADD_FAILURE() << "no PostgreSQL server: see tests/postgres_server.py";
  static int number = 0;
  name_ = "scan_test_" + std::to_string(::getpid()) + "_" + std::to_string(++number);
  ask("CREATE SCHEMA {}");
}

PostgresSchema::~PostgresSchema() {
  ask("DROP SCHEMA IF EXISTS {} CASCADE");
}

std::vector<TextRow> PostgresSchema::ask(std::string sql) const {
  for (std::size_t at = 0; (at = sql.find("{}", at)) != std::string::npos;) sql.replace(at, 2, name_);
  return ask_server(dsn_, sql);
}

std::vector<std::int64_t> PostgresTest::count_ranges(const ExportSpec& spec, const std::vector<KeyRange>& ranges) {
  std::string sql = "SELECT ";
  for (const KeyRange& range : ranges) {
    std::string condition = range.upto ? key_condition(spec.dataset, "<=", *range.upto).value() : "TRUE";
    if (range.after) condition += " AND " + key_condition(spec.dataset, ">", *range.after).value();
    sql += "count(*) FILTER (WHERE " + condition + "), ";
  }
  const TextRow row =
      ask(sql + "count(*) FROM " + from_relation(spec.dataset) + " WHERE " + selection(spec).value()).at(0);
  std::vector<std::int64_t> sizes;
  sizes.reserve(row.size());
  for (const auto& count : row) sizes.push_back(std::stoll(count.value_or("0")));
  return sizes;
}

Source PostgresSchema::source_settings() const {
  Source source;
  source.name = "app";
  source.driver = SourceDriver::postgres;
  source.primary = dsn_;
  source.primary_max_rows = kAnyRows;
  return source;
}

std::unique_ptr<SourceDatabase> PostgresTest::open(const Source& settings) {
  auto source = make_source(settings);
  if (!source) {
    ADD_FAILURE() << source.error().message;
    return nullptr;
  }
  return *std::move(source);
}

ExportSpec PostgresTest::spec(SourceDatabase& source, const std::string& table, const std::vector<std::string>& key) {
  const auto described = source.describe(relation(table));
  if (!described) {
    ADD_FAILURE() << described.error().message;
    return {};
  }
  return spec_of(*described, key);
}

}  // namespace longshore
