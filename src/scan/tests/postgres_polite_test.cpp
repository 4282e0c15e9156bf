#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <thread>

#include "scan/tests/postgres_fixture.h"

namespace longshore {
namespace {

using namespace std::chrono_literals;

/// `postgres_cluster.py serve`: a primary with two streaming standbys, gone when this object is.
class Cluster {
 public:
  Cluster() {
    std::array<int, 2> to_cluster{};
    std::array<int, 2> from_cluster{};
    if (::pipe(to_cluster.data()) != 0 || ::pipe(from_cluster.data()) != 0) std::abort();
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(to_cluster[0], 0);
      ::dup2(from_cluster[1], 1);
      ::close(to_cluster[1]);
      ::close(from_cluster[0]);
      // Whatever stands in the way of replay is cancelled at once.
      ::execlp("python3", "python3", LONGSHORE_POSTGRES_CLUSTER, "--set-standby", "max_standby_streaming_delay=0",
               "serve", nullptr);
      ::_exit(127);
    }
    ::close(to_cluster[0]);
    ::close(from_cluster[1]);
    input_ = to_cluster[1];
    output_ = from_cluster[0];
    for (std::string line = read_line(); line != "ready" && !line.empty(); line = read_line()) {
      const std::size_t equals = line.find('=');
      dsns_[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  ~Cluster() {
    ::close(input_);
    ::close(output_);
    ::waitpid(process_, nullptr, 0);
  }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  const std::string& dsn(const std::string& name) { return dsns_[name]; }
  void tell(const std::string& command) {
    const std::string line = command + "\n";
    ASSERT_EQ(::write(input_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    ASSERT_EQ(read_line(), "ok") << command;
  }

 private:
  std::string read_line() {
    std::string line;
    char c = 0;
    while (::read(output_, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }

  pid_t process_ = 0;
  int input_ = -1;
  int output_ = -1;
  std::map<std::string, std::string> dsns_;
};

template <class Condition>
bool eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

class PostgresPoliteTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new Cluster;
    on_primary(
        "CREATE TABLE t (id int PRIMARY KEY, label text); CREATE TABLE traffic (n int); CREATE TABLE heartbeat (lag "
        "text);"
        "INSERT INTO t SELECT i, repeat('x', 50) || i FROM generate_series(1, 6000) i;"
        "CREATE FUNCTION nap(label text) RETURNS text STABLE LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.0005); RETURN label; END $$;"
        "CREATE VIEW slow AS SELECT id, nap(label) AS label FROM t;"
        "CREATE VIEW session AS SELECT 1 AS id, concat_ws('|', current_setting('default_transaction_read_only'), "
        "  current_setting('statement_timeout'), current_setting('lock_timeout'), "
        "  current_setting('idle_in_transaction_session_timeout'), current_setting('application_name'), "
        "  current_setting('search_path'), current_setting('work_mem')) AS settings;"
        "INSERT INTO heartbeat VALUES ('0');"
        "CREATE VIEW heartbeat_keys AS SELECT 1 AS id, lag FROM heartbeat; ANALYZE");
    cluster_->tell("wait_caught_up");
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }
  static void on_primary(const std::string& sql) { ask_server(cluster_->dsn("primary"), sql); }

  /// Both standbys, a limit that a test need not wait for long, and statements of 500 rows.
  static Source two_standbys() {
    Source source;
    source.name = "app";
    source.driver = SourceDriver::postgres;
    source.replicas = {cluster_->dsn("standby1"), cluster_->dsn("standby2")};
    source.max_lag = 2s;
    source.batch_rows = 500;
    return source;
  }
  static std::unique_ptr<SourceDatabase> open(const Source& settings) {
    auto source = make_source(settings);
    if (!source) ADD_FAILURE() << source.error().message;
    return source ? *std::move(source) : nullptr;
  }
  static ExportSpec spec_of_relation(SourceDatabase& source, const std::string& relation) {
    const auto described = source.describe(relation);
    if (!described) ADD_FAILURE() << described.error().message;
    return described ? spec_of(*described, {"id"}) : ExportSpec{};
  }
  static std::vector<TextRow> rows_of(const std::string& relation) {
    return ask_server(cluster_->dsn("primary"), "SELECT id::text, label FROM " + relation + " AS r ORDER BY r.id");
  }
  /// Where the scan of this label is connected: standby1, standby2, primary.
  static std::vector<std::string> servers_of(const std::string& label) {
    std::vector<std::string> names;
    for (const char* name : {"standby1", "standby2", "primary"}) {
      if (!ask_server(cluster_->dsn(name),
                      "SELECT 1 FROM pg_stat_activity WHERE application_name = 'longshore/" + label + "'")
               .empty()) {
        names.emplace_back(name);
      }
    }
    return names;
  }
  /// Writes on the primary until all of the source's servers that are up and paused are seen to lag by more than
  /// the limit.
  static bool wait_for_lag(const SourceDatabase& source, std::size_t servers) {
    return eventually([&] {
      on_primary("INSERT INTO traffic VALUES (1)");
      std::size_t behind = 0;
      for (const ServerHealth& server : source.health().servers) behind += server.lag.value_or(0) > 2 ? 1 : 0;
      return behind == servers;
    });
  }

  static Cluster* cluster_;
};

Cluster* PostgresPoliteTest::cluster_ = nullptr;

/// A scan that is read step by step.
class Steps {
 public:
  Steps(SourceDatabase& source, const ExportSpec& spec, const std::string& label) : batch_(batch_for(spec)) {
    auto opened = source.open_scan(
        {.spec = &spec, .range = {}, .batch = {.rows = 300, .bytes = 1 << 20}, .label = label, .pressure = &note_},
        stop_.get_token());
    EXPECT_TRUE(opened);
    scan_ = *std::move(opened);
  }
  /// False at the end, and when it fails (see error()).
  bool next() {
    const auto more = scan_->next(batch_);
    if (!more) error_ = more.error().code + ": " + more.error().message;
    if (!more || !*more) return false;
    append_rows(batch_, reading_);
    return true;
  }
  void read_all() {
    while (next()) {
    }
  }

  const Reading& reading() const { return reading_; }
  const std::string& error() const { return error_; }
  std::string note() const { return note_.text(); }
  void stop() { stop_.request_stop(); }

 private:
  RowBatch batch_;
  PressureNote note_;
  std::stop_source stop_;
  std::unique_ptr<RowSource> scan_;
  Reading reading_;
  std::string error_;
};

TEST_F(PostgresPoliteTest, AScanLeavesAReplicaThatFallsBehindAndPausesWhenAllHave) {
  const auto source = open(two_standbys());
  const ExportSpec spec = spec_of_relation(*source, "public.t");
  Steps steps(*source, spec, "exp_lag");
  ASSERT_TRUE(steps.next()) << steps.error();
  const auto at_first = servers_of("exp_lag");
  ASSERT_EQ(at_first.size(), 1U);
  const std::string other = at_first[0] == "standby1" ? "standby2" : "standby1";

  cluster_->tell("pause_replay " + at_first[0]);
  ASSERT_TRUE(wait_for_lag(*source, 1));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(steps.next()) << steps.error();
  EXPECT_THAT(servers_of("exp_lag"), testing::ElementsAre(other));

  cluster_->tell("pause_replay " + other);
  ASSERT_TRUE(wait_for_lag(*source, 2));
  std::jthread reader([&] { steps.read_all(); });
  ASSERT_TRUE(eventually([&] { return source->health().paused_scans == 1; }));
  EXPECT_THAT(steps.note(), testing::AllOf(testing::StartsWith("paused: replica 127.0.0.1:"),
                                           testing::HasSubstr("s behind (limit 2 s; WAL replay is paused there)")));
  // It keeps nothing open: no statement, no transaction, no snapshot.
  EXPECT_EQ(
      ask_server(cluster_->dsn(other),
                 "SELECT state, xact_start::text, backend_xmin::text FROM pg_stat_activity WHERE application_name = "
                 "'longshore/exp_lag'"),
      (std::vector<TextRow>{{"idle", std::nullopt, std::nullopt}}));

  cluster_->tell("resume_replay standby1");
  cluster_->tell("resume_replay standby2");
  reader.join();
  EXPECT_EQ(steps.error(), "");
  EXPECT_EQ(steps.note(), "");
  EXPECT_EQ(steps.reading().rows, rows_of("t"));
  EXPECT_GT(source->health().paused_seconds, 0.05);
  EXPECT_EQ(source->health().paused_scans, 0);
}

TEST_F(PostgresPoliteTest, StopAndTheLongestPauseEndAPause) {
  Source settings = two_standbys();
  settings.max_pause = 3s;
  const auto source = open(settings);
  const ExportSpec spec = spec_of_relation(*source, "public.t");
  Steps steps(*source, spec, "exp_a");
  Steps stopped(*source, spec, "exp_b");
  ASSERT_TRUE(steps.next() && stopped.next());
  cluster_->tell("pause_replay standby1");
  cluster_->tell("pause_replay standby2");
  ASSERT_TRUE(wait_for_lag(*source, 2));
  std::jthread reader([&] { stopped.read_all(); });
  ASSERT_TRUE(eventually([&] { return source->health().paused_scans == 1; }));
  stopped.stop();
  reader.join();
  EXPECT_THAT(stopped.error(), testing::StartsWith("scan_stopped"));
  steps.read_all();
  EXPECT_THAT(steps.error(), testing::StartsWith("source_paused: reading was paused for 3 s"));
  // Neither does planning begin.
  expect_error(source->plan_partitions(spec, {.partitions = 2}, {}), "source_paused", "behind");
  PressureNote note;
  expect_error(source->planning(note)->plan_partitions(spec, {.partitions = 2}, {}), "source_paused", "behind");
  EXPECT_THAT(note.text(), testing::StartsWith("paused: replica "));
  cluster_->tell("resume_replay standby1");
  cluster_->tell("resume_replay standby2");
}

TEST_F(PostgresPoliteTest, AReplicaThatDiesIsLeftForAnother) {
  Source settings = two_standbys();
  settings.max_lag = 1min;
  const auto source = open(settings);
  const ExportSpec spec = spec_of_relation(*source, "public.t");
  Steps steps(*source, spec, "exp_dies");
  ASSERT_TRUE(steps.next()) << steps.error();
  const std::string first = servers_of("exp_dies").at(0);
  cluster_->tell("halt " + first);
  steps.read_all();
  cluster_->tell("resume " + first);
  EXPECT_EQ(steps.error(), "");
  EXPECT_EQ(steps.reading().rows, rows_of("t"));
}

TEST_F(PostgresPoliteTest, RecoveryConflictsAreRetriedFromTheLastKey) {
  Source settings = two_standbys();
  settings.max_lag = 1min;
  const auto source = open(settings);
  const ExportSpec spec = spec_of_relation(*source, "public.slow");
  Steps steps(*source, spec, "exp_conflict");
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(steps.next()) << steps.error();
    // Replaying the lock cancels every statement that reads the table.
    on_primary("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; COMMIT");
  }
  steps.read_all();
  EXPECT_EQ(steps.error(), "");
  EXPECT_EQ(steps.reading().rows, rows_of("t"));
  const auto conflicts = [&](const char* standby) {
    return ask_server(cluster_->dsn(standby),
                      "SELECT confl_lock FROM pg_stat_database_conflicts WHERE datname = 'postgres'")
        .at(0)
        .at(0)
        .value();
  };
  EXPECT_NE(conflicts("standby1") + conflicts("standby2"), "00");
}

TEST_F(PostgresPoliteTest, AnEstimateThatReplayCancelsIsAskedForAgain) {
  Source settings = two_standbys();
  settings.replicas.resize(1);
  settings.max_lag = 1min;
  const auto source = open(settings);
  ExportSpec spec = spec_of_relation(*source, "public.slow");
  // Whoever counts these computes every label, which takes longer than the longest count of an estimate.
  spec.filters = {{.column = "label", .op = FilterOp::eq, .values = {{.type = *parse_data_type("text"), .text = "x"}}}};
  std::optional<Result<ScanEstimate>> estimate;
  std::jthread asker([&] { estimate = source->estimate(spec, {}); });
  ASSERT_TRUE(eventually([&] {
    return !ask_server(cluster_->dsn("standby1"),
                       "SELECT 1 FROM pg_stat_activity WHERE application_name = 'longshore/estimate' AND "
                       "wait_event = 'PgSleep'")
                .empty();
  }));
  on_primary("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; COMMIT");
  asker.join();
  EXPECT_TRUE(*estimate) << estimate->error().code << ": " << estimate->error().message;
}

TEST_F(PostgresPoliteTest, ThePrimaryServesSmallExportsAndOnlyWhenNoReplicaCan) {
  Source lone;
  lone.name = "app";
  lone.driver = SourceDriver::postgres;
  lone.primary = cluster_->dsn("primary");
  lone.primary_max_rows = 5000;
  const auto alone = open(lone);
  const ExportSpec all = spec_of_relation(*alone, "public.t");
  const auto refused = read_range(*alone, all, {});
  expect_error(refused, "primary_refused", "name a replica under replicas, or raise primary_max_rows");
  EXPECT_FALSE(refused.error().retriable);
  expect_error(alone->plan_partitions(all, {}, {}), "primary_refused", "fewer than 5000 estimated rows");
  EXPECT_EQ(alone->estimate(all, {})->rows, 6000);
  const ExportSpec small = spec_of_relation(*alone, "public.heartbeat_keys");
  EXPECT_EQ(read_range(*alone, small, {})->rows.size(), 1U);

  Source dead = lone;
  dead.replicas = {"host=127.0.0.1 port=1 user=postgres dbname=postgres"};
  dead.max_lag = 5s;
  const auto orphaned = open(dead);
  EXPECT_EQ(read_range(*orphaned, small, {})->rows.size(), 1U);
  const auto waiting = read_range(*orphaned, all, {});
  expect_error(waiting, "primary_refused", "no replica is healthy");
  EXPECT_TRUE(waiting.error().retriable);
  expect_error(orphaned->plan_partitions(all, {}, {}), "primary_refused", "no replica is healthy");
}

TEST_F(PostgresPoliteTest, AStandbyThatCancelsSnapshotsIsWorthAWarning) {
  Source settings = two_standbys();
  settings.replicas.emplace_back("host=127.0.0.1 port=1 user=postgres dbname=postgres");
  settings.primary = cluster_->dsn("primary");
  const auto source = open(settings);
  const auto change = [&](const std::string& feedback) {
    ask_server(cluster_->dsn("standby2"), "ALTER SYSTEM " + feedback);
    ask_server(cluster_->dsn("standby2"), "SELECT pg_reload_conf()");
  };
  change("SET hot_standby_feedback = on");
  std::vector<ReadingHint> hints;
  EXPECT_TRUE(eventually([&] {
    hints = source->snapshot_hints().value();
    return hints.size() == 2;
  }));
  change("RESET hot_standby_feedback");
  ASSERT_EQ(hints.size(), 2U);
  EXPECT_EQ(hints[0].path + " " + hints[0].code, "replicas.0 standby_cancels_snapshots");
  EXPECT_THAT(hints[0].message, testing::AllOf(testing::HasSubstr("hot_standby_feedback off"),
                                               testing::HasSubstr("max_standby_streaming_delay = 0"),
                                               testing::HasSubstr("set hot_standby_feedback = on there")));
  EXPECT_EQ(hints[1].path + " " + hints[1].code, "replicas.2 server_unavailable");
}

TEST_F(PostgresPoliteTest, APrimaryWatchesItsStandbys) {
  Source settings = two_standbys();
  settings.replicas = {cluster_->dsn("primary")};
  const auto source = open(settings);
  const ExportSpec spec = spec_of_relation(*source, "public.t");
  Steps steps(*source, spec, "exp_watch");
  ASSERT_TRUE(steps.next()) << steps.error();
  cluster_->tell("pause_replay standby2");
  ASSERT_TRUE(wait_for_lag(*source, 1));
  std::jthread reader([&] { steps.read_all(); });
  ASSERT_TRUE(eventually([&] { return source->health().paused_scans == 1; }));
  cluster_->tell("resume_replay standby2");
  reader.join();
  EXPECT_EQ(steps.error(), "");
  EXPECT_EQ(steps.reading().rows, rows_of("t"));
}

TEST_F(PostgresPoliteTest, TheCatalogsOwnQueryTellsTheLag) {
  Source settings = two_standbys();
  settings.replicas = {cluster_->dsn("primary")};
  settings.lag_query = "SELECT lag FROM public.heartbeat";
  const auto source = open(settings);
  const ExportSpec spec = spec_of_relation(*source, "public.t");
  Steps steps(*source, spec, "exp_query");
  ASSERT_TRUE(steps.next()) << steps.error();
  on_primary("UPDATE heartbeat SET lag = '7.2'");
  ASSERT_TRUE(wait_for_lag(*source, 1));
  std::jthread reader([&] { steps.read_all(); });
  const auto shows = [&](const char* words) {
    return eventually([&] { return steps.note().find(words) != std::string::npos; });
  };
  EXPECT_TRUE(shows("is 7.2 s behind (limit 2 s)"));
  on_primary("UPDATE heartbeat SET lag = 'soon'");
  EXPECT_TRUE(shows("cannot say how far it is behind (lag_query returned soon, which is no number of seconds)"));
  on_primary("UPDATE heartbeat SET lag = '0'");
  reader.join();
  EXPECT_EQ(steps.error(), "");
  EXPECT_EQ(steps.reading().rows, rows_of("t"));
}

TEST_F(PostgresPoliteTest, PacingPausesBetweenStatementsAndChangesNoByte) {
  Source settings = two_standbys();
  const auto source = open(settings);
  const ExportSpec spec = spec_of_relation(*source, "public.t");
  const auto fast = read_range(*source, spec, {}, {.rows = 300, .bytes = 1 << 20});
  ASSERT_TRUE(fast);

  settings.pacing.rule.pause = 10ms;
  const auto paced = open(settings);
  Steps steps(*paced, spec, "exp_paced");
  const auto begun = std::chrono::steady_clock::now();
  bool noted = false;
  while (steps.next())
    noted = noted || steps.note() == "paced: reading pauses between statements (pacing of source app)";
  EXPECT_TRUE(noted);
  EXPECT_EQ(steps.error(), "");
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 110ms);  // twelve statements
  EXPECT_EQ(steps.reading().rows, fast->rows);
  EXPECT_EQ(steps.reading().batch_rows, fast->batch_rows);
  EXPECT_EQ(steps.reading().last_keys, fast->last_keys);
}

TEST_F(PostgresPoliteTest, SessionsAreReadOnlyAndBounded) {
  Source settings = two_standbys();
  settings.statement_timeout = 12s;
  const auto source = open(settings);
  const ExportSpec spec = spec_of_relation(*source, "public.session");
  const auto reading = read_range(*source, spec, {});
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_THAT(reading->rows.at(0).at(1).value_or(""), testing::StartsWith("on|12s|5s|1min|longshore/test"));
  EXPECT_THAT(reading->rows.at(0).at(1).value_or(""), testing::EndsWith("|pg_catalog, public|16MB"));
}

TEST_F(PostgresPoliteTest, NothingIsPolledWhileNobodyReads) {
  Source settings = two_standbys();
  settings.replicas.resize(1);
  settings.max_lag = Duration::zero();
  const auto unguarded = open(settings);
  const ExportSpec spec = spec_of_relation(*unguarded, "public.t");
  ASSERT_TRUE(read_range(*unguarded, spec, {}));
  EXPECT_TRUE(unguarded->health().servers.empty());
  const auto guarded = open(two_standbys());
  ASSERT_TRUE(guarded->ping());
  EXPECT_TRUE(guarded->health().servers.empty());
}

}  // namespace
}  // namespace longshore
