#include "metadata/sqlite/sqlite_database.h"

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "metadata/dialect.h"
#include "metadata/sqlite/sqlite_error.h"
#include "metadata/tests/sqlite_testbed.h"

namespace longshore::sql {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SqliteDatabaseTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteDatabase> open(Duration busy_timeout = std::chrono::seconds{10}, int readers = 4) {
    auto database = SqliteDatabase::make({.path = path(), .busy_timeout = busy_timeout, .readers = readers}, clock_);
    EXPECT_THAT(database, Succeeded());
    return database ? *std::move(database) : nullptr;
  }
  std::string path() const { return directory_.file("meta.db"); }
  static Result<Rows> run(Database& database, Access access, std::string_view sql,
                          std::initializer_list<Param> params = {}) {
    return transact(database, access, [&](Transaction& transaction) { return transaction.query(sql, params); });
  }
  void create_table(Database& database) {
    ASSERT_THAT(run(database, Access::write, "CREATE TABLE t (id integer PRIMARY KEY, v text UNIQUE) STRICT"),
                Succeeded());
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
};

TEST_F(SqliteDatabaseTest, ValuesGoInAndComeOut) {
  const auto database = open();
  const std::string text = "Zoë \"quoted\"\n" + std::string(1, '\0') + "after NUL";
  const auto rows = run(*database, Access::read, "SELECT $2 AS a, $1 AS b, $3 AS c, $2 AS d, 9007199254740993 AS e",
                        {std::int64_t{-5}, text, std::nullopt});
  ASSERT_THAT(rows, Succeeded());
  EXPECT_EQ((*rows)[0].text("a"), text);
  EXPECT_EQ((*rows)[0].integer("b"), -5);
  EXPECT_TRUE((*rows)[0].is_null("c"));
  EXPECT_EQ((*rows)[0].text("d"), text);
  EXPECT_EQ((*rows)[0].integer("e"), 9007199254740993);
}

TEST_F(SqliteDatabaseTest, TheClockIsTheDatabasesTime) {
  const auto database = open();
  const auto now = [&] { return (*run(*database, Access::read, "SELECT {micros {now}} AS now"))[0].time("now"); };
  EXPECT_EQ(now(), clock_.now());
  clock_.advance(std::chrono::microseconds{1});
  EXPECT_EQ(now(), clock_.now()) << "a prepared statement asks anew each time";
}

/// Time goes on with every look at it, as it really does.
class TickingClock final : public Clock {
 public:
  Timestamp now() const override { return Timestamp(Duration(++ticks_)); }
  std::chrono::steady_clock::time_point steady_now() const override { return {}; }
  bool sleep_for(Duration, std::stop_token) override { return true; }

 private:
  mutable std::atomic<std::int64_t> ticks_{0};
};

TEST_F(SqliteDatabaseTest, AStatementHasOneTime) {
  const TickingClock ticking;
  auto database = SqliteDatabase::make({.path = path()}, ticking);
  ASSERT_THAT(database, Succeeded());
  const auto rows = run(**database, Access::read, "SELECT {micros {now}} AS a, {micros {now}} AS b");
  ASSERT_THAT(rows, Succeeded());
  EXPECT_EQ((*rows)[0].time("a"), (*rows)[0].time("b")) << "an export expires exactly its retention after completion";
}

TEST_F(SqliteDatabaseTest, OnlyCommitPublishes) {
  const auto database = open();
  create_table(*database);
  {
    auto transaction = database->begin(Access::write);
    ASSERT_THAT(transaction, Succeeded());
    ASSERT_EQ(*(*transaction)->execute("INSERT INTO t VALUES (1, 'a')"), 1);
    EXPECT_EQ((*run(*database, Access::read, "SELECT count(*) AS n FROM t"))[0].integer("n"), 0);
  }
  EXPECT_EQ((*run(*database, Access::read, "SELECT count(*) AS n FROM t"))[0].integer("n"), 0) << "rolled back";
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a')"), Succeeded());
  EXPECT_EQ((*run(*database, Access::read, "SELECT count(*) AS n FROM t"))[0].integer("n"), 1);
}

TEST_F(SqliteDatabaseTest, ReadsCannotWrite) {
  const auto database = open();
  create_table(*database);
  EXPECT_THAT(run(*database, Access::read, "INSERT INTO t VALUES (1, 'a')"), Not(Succeeded()));
}

TEST_F(SqliteDatabaseTest, AReadSeesOneStateOfTheDatabase) {
  const auto database = open();
  create_table(*database);
  auto reader = database->begin(Access::read);
  ASSERT_THAT(reader, Succeeded());
  EXPECT_EQ((*(*reader)->query("SELECT count(*) AS n FROM t"))[0].integer("n"), 0);
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a')"), Succeeded());
  EXPECT_EQ((*(*reader)->query("SELECT count(*) AS n FROM t"))[0].integer("n"), 0);
}

TEST_F(SqliteDatabaseTest, ConstraintsAreToldApart) {
  const auto database = open();
  create_table(*database);
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'a')"), Succeeded());
  EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (2, 'a')"), FailedWith(kDuplicate));
  EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'b')"), FailedWith(kDuplicate));
  EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES ('x', 'b')"), Not(Succeeded())) << "STRICT";
  EXPECT_THAT(run(*database, Access::write, "CREATE TABLE c (p integer REFERENCES t (id)) STRICT"), Succeeded());
  EXPECT_THAT(run(*database, Access::write, "INSERT INTO c VALUES (99)"), FailedWith(kConstraint))
      << "foreign keys are on";
}

TEST_F(SqliteDatabaseTest, AMissingParameterAndAMisspeltColumnAreBugs) {
  const auto database = open();
  create_table(*database);
  EXPECT_THROW((void)run(*database, Access::read, "SELECT $2", {1}), std::logic_error);
  EXPECT_THAT(run(*database, Access::read, "SELECT \"nonsense\" FROM t"), FailedWith(kStatement));
  EXPECT_THAT(run(*database, Access::read, "SELECT 1 AS one"), Succeeded()) << "the pool is whole after errors";
}

TEST_F(SqliteDatabaseTest, AnotherWriterIsWaitedForAndThenReported) {
  const auto database = open();
  create_table(*database);
  const auto impatient = open(std::chrono::milliseconds{50});
  auto held = database->begin(Access::write);
  ASSERT_THAT(held, Succeeded());
  const auto refused = run(*impatient, Access::write, "INSERT INTO t VALUES (1, 'a')");
  ASSERT_THAT(refused, FailedWith(kUnavailable));
  EXPECT_TRUE(refused.error().retriable);
  EXPECT_EQ(refused.error().source, ErrorSource::external);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr(path()), HasSubstr("another process has held its lock")));
  held->reset();
  EXPECT_THAT(run(*impatient, Access::write, "INSERT INTO t VALUES (1, 'a')"), Succeeded());
}

TEST_F(SqliteDatabaseTest, ThePoolIsBounded) {
  const auto database = open(std::chrono::milliseconds{50}, 2);
  const auto first = database->begin(Access::read);
  auto second = database->begin(Access::read);
  const auto third = database->begin(Access::read);
  ASSERT_THAT(third, FailedWith(kUnavailable));
  EXPECT_THAT(third.error().message, HasSubstr("2 of its connections were in use"));
  second->reset();
  EXPECT_THAT(database->begin(Access::read), Succeeded());
}

TEST_F(SqliteDatabaseTest, ManyThreadsShareIt) {
  const auto database = open();
  create_table(*database);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 25; ++i) {
          EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES ($1, $2)",
                          {thread * 1000 + i, std::to_string(thread * 1000 + i)}),
                      Succeeded());
          EXPECT_THAT(run(*database, Access::read, "SELECT count(*) AS n FROM t"), Succeeded());
        }
      });
    }
  }
  EXPECT_EQ((*run(*database, Access::read, "SELECT count(*) AS n FROM t"))[0].integer("n"), 100);
}

TEST_F(SqliteDatabaseTest, AMissingDirectoryIsSaid) {
  const auto database = SqliteDatabase::make({.path = directory_.file("nowhere/meta.db")}, clock_);
  ASSERT_THAT(database, FailedWith(kUnavailable));
  EXPECT_THAT(database.error().message, AllOf(HasSubstr("nowhere/meta.db"), HasSubstr("the directory must exist")));
}

TEST_F(SqliteDatabaseTest, AForeignFileIsNotTouched) {
  std::ofstream(path()) << "this is no database, but a text that somebody wants to keep. " << std::string(5000, '.');
  const auto database = SqliteDatabase::make({.path = path()}, clock_);
  ASSERT_THAT(database, FailedWith(kCorrupt));
  EXPECT_FALSE(database.error().retriable);
}

/// Plays an unprivileged user when the test runs as root, to whom nothing is read-only.
class Unprivileged {
 public:
  Unprivileged() : was_(::geteuid()) { active_ = was_ != 0 || ::seteuid(65534) == 0; }
  ~Unprivileged() {
    if (was_ == 0) {
      EXPECT_EQ(::seteuid(0), 0);
    }
  }
  bool active() const { return active_; }

 private:
  ::uid_t was_;
  bool active_ = false;
};

TEST_F(SqliteDatabaseTest, AReadOnlyFileIsSaid) {
  create_table(*open());
  ASSERT_EQ(::chmod(path().c_str(), 0444), 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0555), 0);
  {
    const Unprivileged user;
    if (!user.active()) GTEST_SKIP() << "cannot drop privileges here";
    const auto database = SqliteDatabase::make({.path = path()}, clock_);
    EXPECT_THAT(database, FailedWith(kUnavailable));
    if (!database) {
      EXPECT_THAT(database.error().message, HasSubstr("read-only"));
    }
  }
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
}

TEST_F(SqliteDatabaseTest, ADiskThatTakesNoMoreIsRetriableAndLosesNothing) {
  const auto database = open();
  create_table(*database);
  ASSERT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (1, 'kept')"), Succeeded());

  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const auto wal_size = std::filesystem::file_size(path() + "-wal");
  const struct rlimit limit {
    wal_size + 8192, before.rlim_max
  };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const auto refused = run(*database, Access::write, "INSERT INTO t VALUES (2, $1)", {std::string(1 << 20, 'x')});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);

  ASSERT_THAT(refused, FailedWith(kUnavailable));
  EXPECT_TRUE(refused.error().retriable);
  EXPECT_THAT(refused.error().message, HasSubstr("disk"));
  EXPECT_THAT(run(*database, Access::write, "INSERT INTO t VALUES (3, 'after')"), Succeeded());
  EXPECT_EQ((*run(*database, Access::read, "SELECT group_concat(v, ' ') AS v FROM t"))[0].text("v"), "kept after");
}

TEST(SqliteErrorTest, CodesSayWhatToDo) {
  const auto message = [](int code) { return sqlite_error(code, "/var/lib/m.db", "commit", "detail").message; };
  EXPECT_EQ(message(SQLITE_FULL),
            "the metadata store /var/lib/m.db cannot commit: detail; the disk is full: free some space, work continues "
            "by itself");
  EXPECT_THAT(message(SQLITE_IOERR_FSYNC), HasSubstr("look at the system log"));
  EXPECT_THAT(message(SQLITE_BUSY_SNAPSHOT), HasSubstr("held its lock for too long"));
  EXPECT_TRUE(sqlite_error(SQLITE_FULL, "f", "d", "x").retriable);
  EXPECT_EQ(sqlite_error(SQLITE_CORRUPT_INDEX, "f", "d", "x").code, kCorrupt);
  EXPECT_EQ(sqlite_error(SQLITE_CONSTRAINT_CHECK, "f", "d", "x").code, kConstraint);
  EXPECT_EQ(sqlite_error(SQLITE_CONSTRAINT_PRIMARYKEY, "f", "d", "x").code, kDuplicate);
  EXPECT_EQ(sqlite_error(SQLITE_MISUSE, "f", "d", "x").source, ErrorSource::internal);
}

}  // namespace
}  // namespace longshore::sql
