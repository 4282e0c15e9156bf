#include "scan/tests/mysql_fixture.h"

#include <mysql.h>
#include <unistd.h>

#include <cstdlib>

#include "scan/mysql/address.h"
#include "scan/tests/server_process.h"

namespace longshore {

namespace {

std::string server_url() {
  if (const char* given = std::getenv("LONGSHORE_TEST_MARIADB")) return given;
  static const ServerProcess server(LONGSHORE_MARIADB_SERVER);
  return server.address();
}

struct FreeConnection {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
};
using Connection = std::unique_ptr<MYSQL, FreeConnection>;

Connection connect(const std::string& database) {
  Connection connection(mysql_init(nullptr));
  const auto address = parse_mysql_address(server_url());
  if (!address) {
    ADD_FAILURE() << "no MariaDB server: see tests/mariadb_server.py; " << address.error().message;
    return connection;
  }
  mysql_options(connection.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  EXPECT_NE(mysql_real_connect(connection.get(), address->host.c_str(), address->user.c_str(),
                               address->password.c_str(), database.c_str(), address->port, nullptr, 0),
            nullptr)
      << mysql_error(connection.get());
  EXPECT_EQ(mysql_query(connection.get(),
                        "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES', "
                        "time_zone = '+00:00'"),
            0);
  return connection;
}

std::vector<TextRow> execute(const Connection& connection, const std::string& sql) {
  std::vector<TextRow> rows;
  EXPECT_EQ(mysql_real_query(connection.get(), sql.data(), sql.size()), 0)
      << mysql_error(connection.get()) << ": " << sql;
  MYSQL_RES* result = mysql_store_result(connection.get());
  if (result == nullptr) return rows;
  while (MYSQL_ROW values = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    TextRow& row = rows.emplace_back();
    for (unsigned i = 0; i < mysql_num_fields(result); ++i) {
      row.push_back(values[i] == nullptr ? std::nullopt : std::optional(std::string(values[i], lengths[i])));
    }
  }
  mysql_free_result(result);
  return rows;
}

}  // namespace

MysqlDatabase::MysqlDatabase() {
  static int number = 0;
  name_ = "scan_test_" + std::to_string(::getpid()) + "_" + std::to_string(++number);
  execute(connect(""), "CREATE DATABASE " + name_ + " CHARACTER SET utf8mb4");
}

MysqlDatabase::~MysqlDatabase() {
  execute(connect(""), "DROP DATABASE " + name_);
}

std::vector<TextRow> MysqlDatabase::ask(const std::string& sql) const {
  return execute(connect(name_), sql);
}

void MysqlDatabase::kill_sessions() const {
  const Connection connection = connect("");
  for (const TextRow& row :
       execute(connection, "SELECT id FROM information_schema.PROCESSLIST WHERE db = '" + name_ + "'")) {
    // It may be gone by now.
    const std::string kill = "KILL HARD CONNECTION " + *row[0];
    static_cast<void>(mysql_query(connection.get(), kill.c_str()));
  }
}

std::string MysqlDatabase::url() const {
  const std::string server = server_url();
  return server.substr(0, server.rfind('/') + 1) + name_;
}

Source MysqlDatabase::source_settings() const {
  Source source;
  source.name = "app";
  source.driver = SourceDriver::mysql;
  source.primary = url();
  source.primary_max_rows = kAnyRows;
  return source;
}

std::unique_ptr<SourceDatabase> MysqlTest::open(const Source& settings) {
  auto source = make_source(settings);
  if (!source) {
    ADD_FAILURE() << source.error().message;
    return nullptr;
  }
  return *std::move(source);
}

ExportSpec MysqlTest::spec(SourceDatabase& source, const std::string& table, const std::vector<std::string>& key) {
  const auto described = source.describe(table);
  if (!described) {
    ADD_FAILURE() << described.error().message;
    return {};
  }
  return spec_of(*described, key);
}

}  // namespace longshore
