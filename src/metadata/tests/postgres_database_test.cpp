#include "metadata/postgres/postgres_database.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "metadata/dialect.h"
#include "metadata/postgres/postgres_error.h"
#include "metadata/tests/postgres_testbed.h"

namespace longshore::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The driver, directly and through pgbouncer.
class PostgresDatabaseTest : public testing::TestWithParam<const char*> {
 protected:
  PostgresDatabaseTest() {
    options_.connection = std::string_view(GetParam()) == "pgbouncer" ? pgbouncer_dsn() : postgres_dsn();
    options_.schema = schema_.name();
    schema_.ask("CREATE TABLE t (id integer PRIMARY KEY, v text UNIQUE)");
  }
  std::unique_ptr<PostgresDatabase> open() const {
    auto database = PostgresDatabase::make(options_);
    EXPECT_THAT(database, Succeeded());
    return database ? *std::move(database) : nullptr;
  }
  static Result<Rows> run(Database& database, Access access, std::string_view sql,
                          std::initializer_list<Param> params = {}) {
    return transact(database, access, [&](Transaction& transaction) { return transaction.query(sql, params); });
  }

  TemporarySchema schema_;
  PostgresOptions options_;
};
INSTANTIATE_TEST_SUITE_P(Postgres, PostgresDatabaseTest, testing::Values("direct", "pgbouncer"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST_P(PostgresDatabaseTest, ValuesGoInAndComeOut) {
  const auto database = open();
  const std::string text = "Zoë \"quoted\" 'x' \\ \n $1";
  const auto rows = run(*database, Access::lookup,
                        "SELECT $2::text AS a, $1::bigint AS b, $3::text AS c, 9007199254740993 AS e, '' AS f",
                        {std::int64_t{-5}, text, std::nullopt});
  ASSERT_THAT(rows, Succeeded());
  EXPECT_EQ((*rows)[0].text("a"), text);
  EXPECT_EQ((*rows)[0].integer("b"), -5);
  EXPECT_TRUE((*rows)[0].is_null("c"));
  EXPECT_EQ((*rows)[0].integer("e"), 9007199254740993);
  EXPECT_FALSE((*rows)[0].is_null("f"));
}

TEST_P(PostgresDatabaseTest, TimesAreExactToTheMicrosecond) {
  const auto database = open();
  for (const std::int64_t micros : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1},
                                    std::int64_t{1'780'000'000'123'457}, std::int64_t{4'102'444'799'999'999}}) {
    const auto rows =
        run(*database, Access::lookup, "SELECT {micros {time $1}} AS same, {micros {later {time $1} | $2}} AS later",
            {micros, 86'400'000'001});
    ASSERT_THAT(rows, Succeeded());
    EXPECT_EQ((*rows)[0].integer("same"), micros);
    EXPECT_EQ((*rows)[0].integer("later"), micros + 86'400'000'001);
  }
}

TEST_P(PostgresDatabaseTest, TimeIsThatOfTheStatementAndNotOfTheTransaction) {
  const auto database = open();
  auto transaction = *database->begin(Access::write);
  const auto first = (*transaction->query("SELECT {micros {now}} AS a, {micros {now}} AS b"));
  EXPECT_EQ(first[0].time("a"), first[0].time("b"));
  ASSERT_THAT(transaction->query("SELECT pg_sleep(0.002)"), Succeeded());
  EXPECT_GE((*transaction->query("SELECT {micros {now}} AS a"))[0].time("a"), first[0].time("a") + milliseconds{2});
}

TEST_P(PostgresDatabaseTest, OnlyCommitPublishes) {
  const auto database = open();
  const auto count = [&] { return (*run(*database, Access::lookup, "SELECT count(*) AS n FROM t"))[0].integer("n"); };
  {
    auto transaction = *database->begin(Access::write);
    ASSERT_EQ(*transaction->execute("INSERT INTO t VALUES (1, 'a')"), 1);
    EXPECT_EQ(count(), 0);
  }
  EXPECT_EQ(count(), 0) << "rolled back";
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a'), (2, 'b')"), Succeeded());
  EXPECT_EQ(count(), 2);
}

TEST_P(PostgresDatabaseTest, AReadSeesOneStateOfTheDatabaseAndCannotWrite) {
  const auto database = open();
  auto reader = *database->begin(Access::read);
  EXPECT_EQ((*reader->query("SELECT count(*) AS n FROM t"))[0].integer("n"), 0);
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a')"), Succeeded());
  EXPECT_EQ((*reader->query("SELECT count(*) AS n FROM t"))[0].integer("n"), 0);
  reader.reset();
  EXPECT_THAT(run(*database, Access::read, "INSERT INTO t VALUES (2, 'a')"), FailedWith(kUnavailable));
}

TEST_P(PostgresDatabaseTest, ConstraintsAreToldApart) {
  const auto database = open();
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a')"), Succeeded());
  EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (2, 'a')"), FailedWith(kDuplicate));
  EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (NULL, 'b')"), FailedWith(kConstraint));
  EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (3, $1)", {std::string("a\0b", 3)}),
              FailedWith(kConstraint));
  EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (3, $1)", {"\xff"}), FailedWith(kConstraint));
  EXPECT_THAT(run(*database, Access::write, "SELECT * FROM missing"), FailedWith(kStatement));
  EXPECT_THAT(run(*database, Access::lookup, "SELECT 1 AS one"), Succeeded()) << "the pool is whole after errors";
}

TEST_P(PostgresDatabaseTest, MistakesInOurOwnUseAreBugs) {
  const auto database = open();
  EXPECT_THROW((void)run(*database, Access::lookup, "SELECT $2::int", {1}), std::logic_error);
  const auto lookup = *database->begin(Access::lookup);
  ASSERT_THAT(lookup->query("SELECT 1 AS one"), Succeeded());
  EXPECT_THROW((void)lookup->query("SELECT 1 AS one"), std::logic_error);
}

TEST_P(PostgresDatabaseTest, ALockThatIsHeldTooLongIsReported) {
  options_.lock_timeout = milliseconds{50};
  const auto database = open();
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a')"), Succeeded());
  auto holder = *database->begin(Access::write);
  ASSERT_THAT(holder->query("SELECT id FROM t {lock}"), Succeeded());
  const auto refused = run(*database, Access::write, "UPDATE t SET v = 'b'");
  ASSERT_THAT(refused, FailedWith(kUnavailable));
  EXPECT_TRUE(refused.error().retriable);
  EXPECT_THAT(refused.error().message, HasSubstr("another transaction has held its lock for too long"));
  EXPECT_TRUE(run(*database, Access::write, "SELECT id FROM t {skip_locked}")->empty());
  EXPECT_TRUE(run(*database, Access::write, "SELECT id FROM t {share_skip_locked}")->empty());
}

TEST_P(PostgresDatabaseTest, AStatementHasALimitAndAMigrationHasNone) {
  options_.statement_timeout = milliseconds{50};
  const auto database = open();
  const auto refused = run(*database, Access::write, "SELECT pg_sleep(10)");
  ASSERT_THAT(refused, FailedWith(kUnavailable));
  EXPECT_THAT(refused.error().message, HasSubstr("longer than its time limit"));
  EXPECT_THAT(run(*database, Access::migration, "SELECT pg_sleep(0.1)"), Succeeded());
}

TEST_P(PostgresDatabaseTest, AProcessThatSleepsInATransactionLosesItsLocks) {
  options_.idle_in_transaction_timeout = milliseconds{50};
  const auto database = open();
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a')"), Succeeded());
  auto sleeper = *database->begin(Access::write);
  ASSERT_THAT(sleeper->query("SELECT id FROM t {lock}"), Succeeded());
  EXPECT_THAT(run(*database, Access::write, "UPDATE t SET v = 'b'"), Succeeded());
  EXPECT_THAT(sleeper->execute("UPDATE t SET v = 'c'"), FailedWith(kDisconnected));
}

TEST_P(PostgresDatabaseTest, DeadlocksAreResolvedByBeginningAgain) {
  const auto database = open();
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a'), (2, 'b')"), Succeeded());
  std::atomic<int> both{0};
  std::atomic<int> runs{0};
  const auto update = [&](int first, int second) {
    bool met = false;
    EXPECT_THAT(transact(*database, Access::write,
                         [&](Transaction& transaction) -> Status {
                           ++runs;
                           CHECK_OK(transaction.execute("UPDATE t SET v = v || 'x' WHERE id = $1", {first}));
                           if (!std::exchange(met, true)) {
                             ++both;
                             while (both < 2) std::this_thread::yield();
                           }
                           CHECK_OK(transaction.execute("UPDATE t SET v = v || 'x' WHERE id = $1", {second}));
                           return {};
                         }),
                Succeeded());
  };
  {
    const std::jthread a([&] { update(1, 2); });
    const std::jthread b([&] { update(2, 1); });
  }
  EXPECT_GE(runs, 3) << "one of them was the victim";
  EXPECT_EQ(*schema_.ask("SELECT string_agg(v, ' ' ORDER BY id) FROM t")[0][0], "axx bxx");
}

TEST_P(PostgresDatabaseTest, ThePoolIsBounded) {
  options_.connections = 2;
  options_.busy_timeout = milliseconds{50};
  const auto database = open();
  const auto first = database->begin(Access::lookup);
  auto second = database->begin(Access::write);
  const auto third = database->begin(Access::read);
  ASSERT_THAT(third, FailedWith(kUnavailable));
  EXPECT_THAT(third.error().message, HasSubstr("all 2 connections of this process were in use"));
  second->reset();
  EXPECT_THAT(database->begin(Access::read), Succeeded());
}

TEST_P(PostgresDatabaseTest, ManyThreadsShareFewConnections) {
  options_.connections = 3;
  const auto database = open();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 20; ++i) {
          EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES ($1, $2)",
                          {thread * 1000 + i, std::to_string(thread * 1000 + i)}),
                      Succeeded());
        }
      });
    }
  }
  EXPECT_EQ((*run(*database, Access::lookup, "SELECT count(*) AS n FROM t"))[0].integer("n"), 160);
}

TEST_P(PostgresDatabaseTest, SessionsThatEndedWhileTheyLayIdleAreNotNoticed) {
  options_.connection += " application_name=idle_" + schema_.name();
  const auto database = open();
  {
    std::vector<Result<std::unique_ptr<Transaction>>> open_now;
    for (int i = 0; i < 4; ++i) {
      open_now.push_back(database->begin(Access::write));
      ASSERT_THAT((*open_now.back())->query("SELECT 1 AS one"), Succeeded());
    }
  }
  for (int round = 0; round < 3; ++round) {
    ask(postgres_dsn(), "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'idle_" +
                            schema_.name() + "'");
    EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES ($1, $2)", {round, std::to_string(round)}),
                Succeeded());
  }
}

TEST_P(PostgresDatabaseTest, NothingOutlivesItsTransaction) {
  options_.connections = 1;
  options_.statement_timeout = milliseconds{4321};
  const auto database = open();
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a')"), Succeeded());
  ASSERT_THAT(run(*database, Access::lookup, "SELECT id FROM t"), Succeeded());
  PostgresOptions plain = options_;
  plain.schema.clear();
  // Through the pooler the same server session may serve somebody else next.
  const auto other = *PostgresDatabase::make(plain);
  const auto rows =
      run(*other, Access::lookup,
          "SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout, "
          "(SELECT count(*) FROM pg_prepared_statements) AS prepared");
  ASSERT_THAT(rows, Succeeded());
  EXPECT_EQ((*rows)[0].text("path"), "\"$user\", public");
  EXPECT_EQ((*rows)[0].text("timeout"), "0");
  EXPECT_EQ((*rows)[0].integer("prepared"), 0);
}

// --- starting

Result<std::unique_ptr<PostgresDatabase>> connect(const std::string& connection) {
  PostgresOptions options;
  options.connection = connection;
  return PostgresDatabase::make(options);
}

TEST(PostgresStartTest, AServerThatIsNotThereIsSaid) {
  const auto database = connect("host=127.0.0.1 port=1 user=u password=hunter2 dbname=d");
  ASSERT_THAT(database, FailedWith(kUnavailable));
  EXPECT_TRUE(database.error().retriable);
  EXPECT_THAT(database.error().message, AllOf(HasSubstr("postgresql://127.0.0.1:1/d"), Not(HasSubstr("hunter2"))));
}

TEST(PostgresStartTest, AConnectionStringThatIsNoneIsNotRepeated) {
  const auto database = connect("password=hunter2 nonsense");
  ASSERT_THAT(database, FailedWith("bad_metadata_connection"));
  EXPECT_EQ(database.error().source, ErrorSource::user);
  EXPECT_THAT(database.error().message, Not(HasSubstr("hunter2")));
}

TEST(PostgresStartTest, ADatabaseThatIsNotThereIsSaid) {
  const auto database = connect(postgres_dsn() + " dbname=nowhere");
  ASSERT_THAT(database, FailedWith(kUnavailable));
  EXPECT_THAT(database.error().message, HasSubstr("\"nowhere\" does not exist"));
}

TEST(PostgresStartTest, AnotherEncodingIsRefused) {
  const std::string name = fmt::format("metadata_latin_{}", ::getpid());
  ask(postgres_dsn(), "CREATE DATABASE " + name + " ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  const auto database = connect(postgres_dsn() + " dbname=" + name);
  ask(postgres_dsn(), "DROP DATABASE " + name + " WITH (FORCE)");
  ASSERT_THAT(database, FailedWith("metadata_unsupported"));
  EXPECT_THAT(database.error().message, AllOf(HasSubstr("LATIN1"), HasSubstr("UTF8")));
}

TEST(PostgresStartTest, AStandbyIsPassedOver) {
  // A database that is read-only by default looks like a standby to whoever wants to write.
  const std::string name = fmt::format("metadata_standby_{}", ::getpid());
  ask(postgres_dsn(), "CREATE DATABASE " + name);
  ask(postgres_dsn(), "ALTER DATABASE " + name + " SET default_transaction_read_only = on");
  const auto database = connect(postgres_dsn() + " dbname=" + name);
  ask(postgres_dsn(), "DROP DATABASE " + name + " WITH (FORCE)");
  ASSERT_THAT(database, FailedWith(kUnavailable));
  EXPECT_THAT(database.error().message, HasSubstr("read-only"));
}

TEST(PostgresErrorTest, CodesSayWhatToDo) {
  const auto error = [](const char* state) { return postgres_error(state, "postgresql://db/x", "commit", "detail"); };
  EXPECT_EQ(
      error("53100").message,
      "the metadata store postgresql://db/x cannot commit: detail (SQLSTATE 53100); the database's disk is full: free "
      "some space, work continues by itself");
  EXPECT_THAT(error("25006").message, HasSubstr("name the primary"));
  EXPECT_EQ(error("").code, kDisconnected);
  EXPECT_EQ(error("57P01").code, kDisconnected);
  EXPECT_EQ(error("08P01").code, kDisconnected);
  EXPECT_EQ(error("40P01").code, kConflict);
  EXPECT_EQ(error("40001").code, kConflict);
  EXPECT_EQ(error("XX001").code, kCorrupt);
  EXPECT_FALSE(error("XX001").retriable);
  EXPECT_EQ(error("22001").code, kConstraint);
  EXPECT_EQ(error("42601").source, ErrorSource::internal);
}

}  // namespace
}  // namespace longshore::sql
