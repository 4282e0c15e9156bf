#include <signal.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "scan/postgres/connection.h"
#include "scan/postgres/session_fence.h"
#include "scan/tests/postgres_fixture.h"

// What sessions owe to the place that they stand on.

namespace longshore {
namespace {

using namespace std::chrono_literals;

class FakePlace final : public ConnectionPlace {
 public:
  explicit FakePlace(const std::string& tag, bool unproven = false) : ConnectionPlace(tag), unproven_(unproven) {}
  std::stop_token lost_signal() const override { return signal_.get_token(); }
  bool lost() const override { return lost_; }
  bool unproven() const override { return unproven_; }
  void doubt() override { doubted_ = true; }

  void lose() {
    lost_ = true;
    signal_.request_stop();
  }
  void lose_by_the_clock() { lost_ = true; }
  bool doubted() const { return doubted_; }

 private:
  bool unproven_;
  std::stop_source signal_;
  std::atomic<bool> lost_ = false;
  std::atomic<bool> doubted_ = false;
};

/// Hands out the places that the test puts in.
class FakeBudget final : public ConnectionBudget {
 public:
  std::vector<std::shared_ptr<FakePlace>> places;
  std::vector<SuspectPlace> suspects;
  std::vector<SuspectPlace> cleared;
  int acquired = 0;

  Result<ConnectionSlot> acquire(std::stop_token /*stop*/, std::optional<Duration> /*patience*/) override {
    return ConnectionSlot(places.at(static_cast<std::size_t>(acquired++)));
  }
  std::vector<SuspectPlace> take_suspects() override { return std::exchange(suspects, {}); }
  void clear(const std::vector<SuspectPlace>& places_cleared) override { cleared = places_cleared; }
};

class PostgresPlaceTest : public PostgresTest {
 protected:
  std::unique_ptr<PostgresConnection> connect(const std::shared_ptr<ConnectionPlace>& place,
                                              const std::string& label = {}) {
    auto connection = PostgresConnection::open({.connection_string = dsn(),
                                                .application_name = "longshore/" + schema() + label,
                                                .statement_timeout = {},
                                                .place = place},
                                               {});
    EXPECT_TRUE(connection) << (connection ? "" : connection.error().message);
    return connection ? *std::move(connection) : nullptr;
  }
  /// The names of sessions that end with this.
  std::vector<std::string> sessions(const std::string& end) {
    std::vector<std::string> names;
    for (const TextRow& row :
         ask("SELECT application_name FROM pg_stat_activity WHERE application_name LIKE '%" + end + "' ORDER BY 1")) {
      names.push_back(*row[0]);
    }
    return names;
  }
  /// A mark of this test alone, since the server is shared: `#` and six characters.
  std::string mark(char which) const { return "#" + schema().substr(schema().size() - 5) + which; }
};

TEST_F(PostgresPlaceTest, ALongNameIsCutBeforeTheTag) {
  const std::string tag = mark('a') + "000001";
  const auto connection = connect(std::make_shared<FakePlace>(tag), std::string(80, 'x'));
  const auto names = sessions(tag);
  ASSERT_EQ(names.size(), 1U);
  EXPECT_EQ(names[0].size(), 63U);
}

TEST_F(PostgresPlaceTest, APlaceIsFreeOnlyWhenTheServerHasEndedTheSession) {
  const std::string tag = mark('b') + "000001";
  for (int i = 0; i < 30; ++i) {
    auto place = std::make_shared<FakePlace>(tag);
    auto connection = connect(place);
    if (i % 3 == 1) {
      ASSERT_TRUE(connection->send_copy("COPY (SELECT pg_sleep(60)) TO STDOUT", {}));
    }
    if (i % 3 == 2) {
      ASSERT_TRUE(
          connection->send_copy("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT", {}));
    }
    EXPECT_GT(place.use_count(), 1) << "the session does not keep its place";
    connection.reset();
    EXPECT_EQ(place.use_count(), 1);
    EXPECT_TRUE(sessions(tag).empty()) << i;
    EXPECT_FALSE(place->doubted());
  }
}

TEST_F(PostgresPlaceTest, ASessionWhoseEndIsNotSeenLeavesADoubt) {
  const std::string tag = mark('c') + "000001";
  auto place = std::make_shared<FakePlace>(tag);
  auto connection = connect(place);
  const auto pid = ask("SELECT pid FROM pg_stat_activity WHERE application_name LIKE '%" + tag + "'");
  ASSERT_EQ(pid.size(), 1U);
  // The server's process hangs; only a server on this machine can be made to.
  const pid_t server = std::stoi(*pid[0][0]);
  ASSERT_EQ(::kill(server, SIGSTOP), 0);
  connection.reset();
  EXPECT_TRUE(place->doubted());
  ::kill(server, SIGCONT);
}

TEST_F(PostgresPlaceTest, ALostPlaceEndsItsSessionThoughNobodyUsesIt) {
  const std::string tag = mark('d') + "000001";
  auto place = std::make_shared<FakePlace>(tag);
  const auto connection = connect(place);
  EXPECT_EQ(sessions(tag).size(), 1U);
  place->lose();
  for (int i = 0; i < 500 && !sessions(tag).empty(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(sessions(tag).empty());
  expect_error(connection->query("SELECT 1", {}, {}), "source_unavailable", "");
}

TEST_F(PostgresPlaceTest, WhoLostItsPlaceWhileItSleptSendsNothingAndOpensNothing) {
  auto place = std::make_shared<FakePlace>(mark('e') + "000001");
  const auto connection = connect(place);
  place->lose_by_the_clock();
  expect_error(connection->send_copy("COPY (SELECT 1) TO STDOUT", {}), "source_unavailable",
               "right to this connection");
  const auto refused = PostgresConnection::open(
      {.connection_string = dsn(), .application_name = "longshore/late", .statement_timeout = {}, .place = place}, {});
  expect_error(refused, "source_unavailable", "right to this connection");
  EXPECT_FALSE(place->doubted()) << "the server was left with half a login";
}

TEST_F(PostgresPlaceTest, AFenceEndsSessionsOfTheMarkUpToTheTagAndNoOthers) {
  const auto lost = connect(std::make_shared<FakePlace>(mark('f') + "000009"));
  const auto older = connect(std::make_shared<FakePlace>(mark('f') + "000002"));
  const auto newer = connect(std::make_shared<FakePlace>(mark('f') + "00000a"));
  const auto other = connect(std::make_shared<FakePlace>(mark('g') + "000001"));
  const auto own = connect(std::make_shared<FakePlace>(mark('h') + "000001"));
  const Status ended = end_sessions(*own, {mark('h') + "000001", mark('f') + "000009"}, {});
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(sessions(mark('f') + "______").size(), 1U);
  EXPECT_TRUE(newer->query("SELECT 1", {}, {}));
  EXPECT_TRUE(other->query("SELECT 1", {}, {}));
  EXPECT_TRUE(own->query("SELECT 1", {}, {}));
  EXPECT_FALSE(lost->query("SELECT 1", {}, {}));
  EXPECT_FALSE(older->query("SELECT 1", {}, {}));
}

TEST_F(PostgresPlaceTest, WhoGetsAPlaceEndsWhatLostOnesLeftBeforeItReads) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, label text)");
  run("INSERT INTO {}.t SELECT i, 'x' FROM generate_series(1, 100) i");
  const auto left_behind = connect(std::make_shared<FakePlace>(mark('i') + "000003"));
  const auto also_left = connect(std::make_shared<FakePlace>(mark('j') + "000001"));
  const auto budget = std::make_shared<FakeBudget>();
  for (int i = 0; i < 4; ++i) budget->places.push_back(std::make_shared<FakePlace>(mark('k') + "000001"));
  // The second is one that nobody could prove to be free.
  budget->places[1] = std::make_shared<FakePlace>(mark('j') + "000002", true);
  budget->suspects = {{.place = 3, .epoch = 3, .tag = mark('i') + "000003"}};
  const auto source = make_source(source_settings(), budget);
  ASSERT_TRUE(source);
  ASSERT_TRUE((*source)->ping());
  EXPECT_FALSE(left_behind->query("SELECT 1", {}, {}));
  ASSERT_EQ(budget->cleared.size(), 1U);
  EXPECT_EQ(budget->cleared[0].place, 3);
  EXPECT_TRUE(also_left->query("SELECT 1", {}, {}));
  ASSERT_TRUE((*source)->ping());
  EXPECT_FALSE(also_left->query("SELECT 1", {}, {}));
}

TEST_F(PostgresPlaceTest, WhereAllPlacesAreInUseAPingGoesByWhatWasHeard) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, label text)");
  run("INSERT INTO {}.t SELECT i, 'x' FROM generate_series(1, 1000) i");
  const auto only = std::make_shared<ConnectionSlots>(1);
  Source settings = source_settings();
  settings.batch_rows = 100;
  const auto source = make_source(settings, only);
  const auto elsewhere = make_source(settings, only);  // another process would know as little
  ASSERT_TRUE(source && elsewhere);
  const ExportSpec whole = spec(**source, "t", {"id"});
  auto scan = (*source)->open_scan(
      {.spec = &whole, .range = {}, .batch = {.rows = 50, .bytes = 1 << 20}, .label = schema()}, {});
  ASSERT_TRUE(scan);
  RowBatch batch = batch_for(whole);
  ASSERT_TRUE((*scan)->next(batch));
  EXPECT_TRUE((*source)->ping()) << "the scan had an answer just now";
  expect_error((*elsewhere)->ping(), "source_busy", "nothing was heard of its servers here yet");
  scan->reset();
  EXPECT_TRUE((*elsewhere)->ping());
}

TEST_F(PostgresPlaceTest, WhoComesNextGoesOnInTheSessionThatWasLeft) {
  run("CREATE VIEW {}.session AS SELECT 1 AS id, pg_backend_pid() AS pid, "
      "current_setting('application_name') AS name, current_setting('statement_timeout') AS timeout");
  Source settings = source_settings();
  settings.statement_timeout = 17s;
  const auto source = open(settings);
  const ExportSpec one = spec(*source, "session", {"id"});
  const auto read = [&](const std::string& label) {
    auto scan = *source->open_scan({.spec = &one, .range = {}, .batch = {}, .label = label}, {});
    RowBatch batch = batch_for(one);
    Reading reading;
    while (scan->next(batch).value()) append_rows(batch, reading);
    return reading.rows.at(0);
  };
  // It waits for a second only, and the machine may be busy.
  const auto until = std::chrono::steady_clock::now() + 20s;
  TextRow first;
  TextRow second;
  do {
    ASSERT_TRUE(source->estimate(one, {}));  // sets limits of its own
    first = read("one");
    second = read("two");
  } while (first.at(1) != second.at(1) && std::chrono::steady_clock::now() < until);
  EXPECT_EQ(first.at(1), second.at(1));
  EXPECT_EQ(*first.at(2) + " " + *second.at(2), "longshore/one longshore/two");
  EXPECT_EQ(second.at(3), "17s");
  // It is gone: the next one opens another.
  ask("SELECT pg_terminate_backend(" + *second.at(1) + ")");
  EXPECT_NE(read("three").at(1), second.at(1));
}

TEST_F(PostgresPlaceTest, AScanThatLosesItsPlaceGoesOnOnAnother) {
  run("CREATE TABLE {}.t (id int PRIMARY KEY, label text)");
  run("INSERT INTO {}.t SELECT i, repeat('x', 500) FROM generate_series(1, 5000) i");
  const auto budget = std::make_shared<FakeBudget>();
  for (char which = 'l'; which < 'r'; ++which) {
    budget->places.push_back(std::make_shared<FakePlace>(mark(which) + "000001"));
  }
  Source settings = source_settings();
  settings.batch_rows = 200;
  const auto plain = open(settings);
  const ExportSpec whole = spec(*plain, "t", {"id"});
  const BatchLimits limits{.rows = 300, .bytes = 1 << 20};
  const auto expected = read_range(*plain, whole, {}, limits);
  ASSERT_TRUE(expected);
  const auto source = make_source(settings, budget);
  ASSERT_TRUE(source);
  auto scan = (*source)->open_scan({.spec = &whole, .range = {}, .batch = limits, .label = schema()}, {});
  ASSERT_TRUE(scan);
  const auto reading = read_steps(**scan, whole, [&](int i) {
    if (i == 2 || i == 7) budget->places[static_cast<std::size_t>(budget->acquired) - 1]->lose();
  });
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->rows, expected->rows);
  EXPECT_EQ(reading->batch_rows, expected->batch_rows);
  EXPECT_EQ(budget->acquired, 3);
}

}  // namespace
}  // namespace longshore
