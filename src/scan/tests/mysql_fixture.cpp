#include "scan/tests/mysql_fixture.h"

#include <mysql.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "scan/mysql/address.h"

namespace longshore {

namespace {

/// `mariadb_server.py serve`: lives as long as this process holds the other end of its standard input.
class OwnServer {
 public:
  OwnServer() {
    std::array<int, 2> to_server{};
    std::array<int, 2> from_server{};
    if (::pipe(to_server.data()) != 0 || ::pipe(from_server.data()) != 0) std::abort();
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(to_server[0], 0);
      ::dup2(from_server[1], 1);
      ::close(to_server[1]);
      ::close(from_server[0]);
      ::execlp("python3", "python3", LONGSHORE_MARIADB_SERVER, "serve", nullptr);
      ::_exit(127);
    }
    ::close(to_server[0]);
    ::close(from_server[1]);
    input_ = to_server[1];
    char c = 0;
    while (::read(from_server[0], &c, 1) == 1 && c != '\n') url_ += c;
    ::close(from_server[0]);
  }
  ~OwnServer() {
    ::close(input_);
    ::waitpid(process_, nullptr, 0);
  }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  const std::string& url() const { return url_; }

 private:
  pid_t process_ = 0;
  int input_ = -1;
  std::string url_;
};

std::string server_url() {
  if (const char* given = std::getenv("LONGSHORE_TEST_MARIADB")) return given;
  static const OwnServer server;
  return server.url();
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

void MysqlTest::SetUp() {
  static int number = 0;
  database_ = "scan_test_" + std::to_string(::getpid()) + "_" + std::to_string(++number);
  execute(connect(""), "CREATE DATABASE " + database_ + " CHARACTER SET utf8mb4");
}

void MysqlTest::TearDown() {
  if (!database_.empty()) execute(connect(""), "DROP DATABASE " + database_);
}

void MysqlTest::run(const std::string& sql) {
  execute(connect(database_), sql);
}

std::vector<TextRow> MysqlTest::ask(const std::string& sql) {
  return execute(connect(database_), sql);
}

void MysqlTest::kill_sessions() {
  const Connection connection = connect("");
  for (const TextRow& row :
       execute(connection, "SELECT id FROM information_schema.PROCESSLIST WHERE db = '" + database_ + "'")) {
    // It may be gone by now.
    const std::string kill = "KILL HARD CONNECTION " + *row[0];
    static_cast<void>(mysql_query(connection.get(), kill.c_str()));
  }
}

std::string MysqlTest::url() const {
  const std::string server = server_url();
  return server.substr(0, server.rfind('/') + 1) + database_;
}

Source MysqlTest::source_settings() const {
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

Filter filter_of(const std::string& column, FilterOp op, const char* type, std::vector<std::string> values) {
  Filter filter{.column = column, .op = op, .values = {}};
  for (std::string& value : values) filter.values.push_back({.type = *parse_data_type(type), .text = std::move(value)});
  return filter;
}

}  // namespace longshore
