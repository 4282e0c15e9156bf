#include <chrono>
#include <thread>

#include "scan/mysql/address.h"
#include "scan/mysql/connection.h"
#include "scan/mysql/lag_query.h"
#include "scan/tests/mysql_fixture.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class MysqlRecoveryTest : public MysqlTest {
 protected:
  void make_rows(int rows) {
    run("CREATE TABLE t (id int PRIMARY KEY, label varchar(200))");
    run("INSERT INTO t SELECT seq, repeat('x', seq % 200) FROM seq_1_to_" + std::to_string(rows));
  }
};

TEST_F(MysqlRecoveryTest, WhatTheAddressDemandsIsKept) {
  Source settings = source_settings();
  settings.primary = url() + "?ssl-mode=required";
  expect_error(open(settings)->ping(), "source_denied", "offers no TLS");
  settings.primary = url() + "?password-file=/nowhere/secret";
  expect_error(open(settings)->ping(), "source_denied", "/nowhere/secret cannot be read");
}

TEST_F(MysqlRecoveryTest, ChangesInTheMiddleOfAScanAreNoticed) {
  make_rows(1000);
  Source settings = source_settings();
  settings.batch_rows = 100;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  const auto alter_in_the_middle = [&](const std::string& sql) -> Error {
    auto scan = source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 50}, .label = "alter"}, {}).value();
    RowBatch batch = batch_for(whole);
    EXPECT_TRUE(scan->next(batch));
    run(sql);  // the statement is over: its rows are on their way
    while (true) {
      const auto more = scan->next(batch);
      if (!more) return more.error();
      if (!*more) return {};
    }
  };
  Error error = alter_in_the_middle("ALTER TABLE t MODIFY label blob");
  EXPECT_EQ(error.code, "source_schema_changed") << error.message;
  run("ALTER TABLE t MODIFY label varchar(200)");
  error = alter_in_the_middle("ALTER TABLE t DROP COLUMN label");
  EXPECT_EQ(error.code, "source_schema_changed") << error.message;
  EXPECT_THAT(error.message, HasSubstr("label"));
  const auto gone = read_range(*source, whole, {});
  expect_error(gone, "source_schema_changed", "column \"label\" is not in relation t any more");
  run("DROP TABLE t");
  expect_error(read_range(*source, whole, {}), "source_schema_changed", "relation t is not in the database any more");
}

/// A heartbeat table says how far the server is behind.
TEST_F(MysqlRecoveryTest, ReadingPausesWhileTheServerLags) {
  make_rows(1000);
  run("CREATE TABLE heartbeat (lag decimal(9,3))");
  run("INSERT INTO heartbeat VALUES (0.25)");
  Source settings = source_settings();
  settings.max_lag = 1s;
  settings.lag_query = "SELECT lag FROM heartbeat";
  settings.batch_rows = 100;
  const auto source = open(settings);
  const ExportSpec whole = spec(*source, "t", {"id"});
  PressureNote note;
  auto scan =
      source->open_scan({.spec = &whole, .range = {}, .batch = {.rows = 100}, .label = "lag", .pressure = &note}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch));
  run("UPDATE heartbeat SET lag = 100");
  while (source->health().servers.empty() || source->health().servers[0].lag.value_or(0) < 1) std::this_thread::yield();
  std::jthread healing([&] {
    while (note.text().find("paused") == std::string::npos) std::this_thread::yield();
    run("UPDATE heartbeat SET lag = 0");
  });
  std::size_t rows = batch.row_count();
  while (true) {
    const auto more = (*scan)->next(batch);
    ASSERT_TRUE(more) << more.error().message;
    if (!*more) break;
    rows += batch.row_count();
  }
  EXPECT_EQ(rows, 1000U);
  EXPECT_GT(source->health().paused_seconds, 0);
}

TEST_F(MysqlRecoveryTest, LagIsWhatTheServerSays) {
  const auto session = MysqlConnection::open(
      {.address = parse_mysql_address(url()).value(), .label = "test", .statement_timeout = {}, .place = nullptr}, {});
  ASSERT_TRUE(session) << session.error().message;
  const auto lag = [&](const std::string& query) { return ask_lag(**session, query, true, {}).value(); };
  // It replicates from nobody.
  EXPECT_EQ(lag("").lag, Duration::zero());
  EXPECT_EQ(lag("SELECT 1.5").lag, Duration(1500ms));
  EXPECT_EQ(lag("SELECT -3").lag, Duration::zero());
  for (const char* query : {"SELECT NULL", "SELECT 1, 2", "SELECT 'x'", "SELECT 1 WHERE FALSE", "SELECT nothing"}) {
    EXPECT_EQ(lag(query).lag, std::nullopt) << query;
    EXPECT_FALSE(lag(query).remark.empty()) << query;
  }
}

TEST_F(MysqlRecoveryTest, OnlyTablesWithTransactionsHaveMoments) {
  make_rows(3);
  run("CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM");
  run("CREATE VIEW shown AS SELECT * FROM t");
  const auto source = open();
  for (const char* relation : {"old", "shown"}) {
    const ExportSpec whole = spec(*source, relation, {"id"});
    auto scan = source->open_scan({.spec = &whole, .range = {}, .batch = {}, .label = "x", .one_moment = true}, {});
    ASSERT_TRUE(scan);
    RowBatch batch = batch_for(whole);
    expect_error((*scan)->next(batch), "snapshot_unsupported", std::string("relation ") + relation);
  }
}

TEST(MysqlErrorTest, NumbersBecomeWhatTheyMean) {
  const auto code = [](unsigned number) { return mysql_failure(number, "words").code; };
  for (const unsigned lost : {2002U, 2003U, 2006U, 2013U, 1040U, 1053U, 1205U, 1213U, 1317U, 1927U, 4031U}) {
    EXPECT_EQ(code(lost), "source_unavailable") << lost;
  }
  for (const unsigned timeout : {1969U, 3024U}) EXPECT_EQ(code(timeout), "source_timeout") << timeout;
  for (const unsigned denied : {1044U, 1045U, 1049U, 1142U, 1143U, 1227U, 1698U, 2026U, 2059U}) {
    EXPECT_EQ(code(denied), "source_denied") << denied;
  }
  for (const unsigned changed : {1054U, 1146U, 1356U}) EXPECT_EQ(code(changed), "source_schema_changed") << changed;
  EXPECT_EQ(code(1064), "source_query_failed");
}

TEST(MysqlAddressTest, ReadsUrls) {
  const auto address = parse_mysql_address(
      "mysql://ex%40porter:p%2Fw@[::1]:3307/app%20db?ssl-mode=VERIFY_IDENTITY&ssl-ca=/etc/ca.pem&connect-timeout=3");
  ASSERT_TRUE(address) << address.error().message;
  EXPECT_EQ(address->user, "ex@porter");
  EXPECT_EQ(address->password, "p/w");
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, 3307U);
  EXPECT_EQ(address->database, "app db");
  EXPECT_EQ(address->tls, MysqlTls::verified);
  EXPECT_EQ(address->tls_authority, "/etc/ca.pem");
  EXPECT_EQ(address->connect_timeout_seconds, 3);
  const auto socket = parse_mysql_address("mariadb://u@/db?socket=/run/mysqld/mysqld.sock&zero-dates=null");
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_EQ(socket->socket, "/run/mysqld/mysqld.sock");
  EXPECT_TRUE(socket->zero_dates_are_null);
  EXPECT_EQ(socket->port, 3306U);
}

TEST(MysqlAddressTest, SaysWhatIsWrongAndRepeatsNoPassword) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"host=h password=hush-hush", "is a URL"},
      {"postgres://u:hush-hush@h/db", "begins with mysql://"},
      {"mysql://u:hush-hush@h", "names one database"},
      {"mysql://u:hush-hush@h/a/b", "names one database"},
      {"mysql://h/db", "names a user"},
      {"mysql://u:hush-hush@/db", "names a host, or a socket"},
      {"mysql://u:hush-hush@h:0/db", "the port"},
      {"mysql://u:hush-hush@h/db?ssl-mode=maybe", "ssl-mode is disabled"},
      {"mysql://u:hush-hush@h/db?compress=1", "no option \"compress\""},
      {"mysql://u:hush-hush@h/db?password-file=/x", "one too many"},
  };
  for (const auto& [url, words] : cases) {
    const auto address = parse_mysql_address(url);
    expect_error(address, "bad_source", words);
    EXPECT_THAT(address.error().message, Not(HasSubstr("hush")));
  }
  Source source;
  source.name = "app";
  source.driver = SourceDriver::mysql;
  expect_error(make_source(source), "bad_source", "source app names neither replicas nor a primary");
  source.replicas = {"mysql://h/db"};
  expect_error(make_source(source), "bad_source", "source app: ");
}

}  // namespace
}  // namespace longshore
