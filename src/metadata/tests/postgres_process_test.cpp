#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "metadata/claim_query.h"
#include "metadata/dialect.h"
#include "metadata/migrate.h"
#include "metadata/postgres/postgres_schema.h"
#include "metadata/tests/postgres_testbed.h"

// Several real processes on one database, and what the server does to answer them. A child is this binary again,
// running one of the tests below that are disabled otherwise.

namespace longshore {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Duration kShortLease = std::chrono::milliseconds{300};

/// This binary, running the test DISABLED_Child.<role>.
class Child {
 public:
  Child(const std::string& role, const std::string& schema, int number = 0) {
    std::array<int, 2> to_child{};
    std::array<int, 2> from_child{};
    if (::pipe2(to_child.data(), O_CLOEXEC) != 0 || ::pipe2(from_child.data(), O_CLOEXEC) != 0) std::abort();
    const std::string filter = "--gtest_filter=DISABLED_Child." + role;
    const std::array<std::string, 3> environment{"LONGSHORE_TEST_POSTGRES=" + postgres_dsn(),
                                                 "LONGSHORE_TEST_SCHEMA=" + schema,
                                                 "LONGSHORE_TEST_NUMBER=" + std::to_string(number)};
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(to_child[0], 0);
      ::dup2(from_child[1], 3);
      // Else the test may not be in this one's part.
      ::unsetenv("GTEST_TOTAL_SHARDS");
      ::unsetenv("GTEST_SHARD_INDEX");
      for (const std::string& entry : environment) ::putenv(const_cast<char*>(entry.c_str()));
      ::execl("/proc/self/exe", "metadata_postgres_test", filter.c_str(), "--gtest_also_run_disabled_tests",
              "--gtest_brief=1", nullptr);
      ::_exit(127);
    }
    ::close(to_child[0]);
    ::close(from_child[1]);
    input_ = to_child[1];
    output_ = from_child[0];
  }
  ~Child() {
    wait();
    ::close(input_);
    ::close(output_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) const { ::kill(process_, number); }
  /// The next line it says, empty at the end.
  std::string hear() const {
    std::string line;
    char c = 0;
    while (::read(output_, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }
  void go_on() const { EXPECT_EQ(::write(input_, "\n", 1), 1); }
  /// Whether it ended as it should.
  bool wait() {
    if (process_ == 0) return ended_well_;
    int status = 0;
    ::waitpid(std::exchange(process_, 0), &status, 0);
    return ended_well_ = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  int process_ = 0;
  int input_ = -1;
  int output_ = -1;
  bool ended_well_ = false;
};

/// In a child: its part of the conversation.
void say(const std::string& line) {
  const std::string text = line + "\n";
  ASSERT_EQ(::write(3, text.data(), text.size()), static_cast<::ssize_t>(text.size()));
}
void await_word() {
  char c = 0;
  ASSERT_EQ(::read(0, &c, 1), 1);
}
sql::PostgresOptions child_options() {
  sql::PostgresOptions options;
  options.connection = std::getenv("LONGSHORE_TEST_POSTGRES");
  options.schema = std::getenv("LONGSHORE_TEST_SCHEMA");
  return options;
}
WorkerId child_worker() {
  return WorkerId(std::string("worker-") + std::getenv("LONGSHORE_TEST_NUMBER"));
}

TEST(DISABLED_Child, Migrate) {
  auto database = sql::PostgresDatabase::make(child_options());
  ASSERT_THAT(database, Succeeded());
  say("ready");
  await_word();
  EXPECT_THAT(sql::migrate(**database), Succeeded());
  EXPECT_THAT(SqlStore::make(*std::move(database)), Succeeded());
}

TEST(DISABLED_Child, Work) {
  const auto store = open_postgres_store(child_options());
  const WorkerId worker = child_worker();
  ASSERT_THAT(store->register_worker(worker, "host", ::getpid()), Succeeded());
  say("ready");
  await_word();
  // Threads of one process share its worker.
  std::vector<std::jthread> slots;
  for (int slot = 0; slot < 2; ++slot) {
    slots.emplace_back([&] {
      while (true) {
        const auto work = store->claim_next(worker);
        ASSERT_THAT(work, Succeeded());
        if (!*work) return;
        const auto& claim = std::get<PartitionWork>(**work).claim;
        say(fmt::format("{} {}", claim.job.str(), claim.partition));
      }
    });
  }
}

TEST(DISABLED_Child, Zombie) {
  const auto store = open_postgres_store(child_options());
  const WorkerId worker = child_worker();
  ASSERT_THAT(store->register_worker(worker, "host", ::getpid()), Succeeded());
  const auto work = store->claim_next(worker);
  ASSERT_THAT(work, Succeeded());
  const Claim claim = std::get<PartitionWork>(**work).claim;
  say("claimed");
  await_word();  // meanwhile it is stopped for longer than its lease
  EXPECT_THAT(store->checkpoint(claim, Part{}), FailedWith("claim_lost"));
  EXPECT_THAT(store->complete_partition(claim, 1, 1), FailedWith("claim_lost"));
  EXPECT_THAT(store->complete_and_publish(claim, 1, {}), FailedWith("claim_lost"));
  EXPECT_THAT(store->give_up(claim, internal_error("bad", "x"), {}), FailedWith("claim_lost"));
  EXPECT_THAT(store->hand_back(claim), FailedWith("claim_lost"));
  EXPECT_THAT(store->heartbeat(worker, {{claim, 1, 1, ""}}), FailedWith("worker_lost"));
  const auto more = store->claim_next(worker);
  EXPECT_TRUE(!more || !*more);
}

class PostgresProcessTest : public testing::Test {
 protected:
  // A child that has died is a failure to report, not a signal to die of.
  PostgresProcessTest() { std::signal(SIGPIPE, SIG_IGN); }
  sql::PostgresOptions options() const {
    sql::PostgresOptions options;
    options.connection = postgres_dsn();
    options.schema = schema_.name();
    return options;
  }
  static JobId job_id(int number) { return JobId(fmt::format("0192f0c4-0000-7000-8000-{:012}", number)); }
  static void plan(SqlStore& store, int number, int partitions) {
    const WorkerId planner(fmt::format("planner-{}", number));
    NewJob request;
    request.job.id = job_id(number);
    request.job.tenant = TenantId(fmt::format("tenant-{}", number));
    request.job.spec.format = "csv";
    ASSERT_THAT(store.register_worker(planner, "h", 1), Succeeded());
    ASSERT_THAT(store.insert(request), Succeeded());
    auto work = store.claim_next(planner);
    while (work && *work && !std::holds_alternative<PlanWork>(**work)) work = store.claim_next(planner);
    ASSERT_THAT(work, Succeeded());
    std::vector<Partition> all(static_cast<std::size_t>(partitions));
    for (int i = 0; i < partitions; ++i) all[static_cast<std::size_t>(i)].index = i;
    ASSERT_THAT(store.save_plan(std::get<PlanWork>(**work).claim, all, 1, 1), Succeeded());
    ASSERT_THAT(store.retire_worker(planner), Succeeded());
  }

  TemporarySchema schema_;
};

TEST_F(PostgresProcessTest, EightMigrateAtOnce) {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 8; ++i) children.push_back(std::make_unique<Child>("Migrate", schema_.name(), i));
  for (const auto& child : children) EXPECT_EQ(child->hear(), "ready");
  for (const auto& child : children) child->go_on();
  for (const auto& child : children) EXPECT_TRUE(child->wait());
  EXPECT_EQ(*schema_.ask("SELECT count(*) FROM schema_migrations")[0][0],
            std::to_string(sql::postgres_migrations().size()));
}

TEST_F(PostgresProcessTest, NothingIsClaimedTwice) {
  constexpr int kPartitions = 120;
  const auto store = open_postgres_store(options());
  plan(*store, 1, kPartitions);
  plan(*store, 2, kPartitions);
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 3; ++i) children.push_back(std::make_unique<Child>("Work", schema_.name(), i));
  for (const auto& child : children) EXPECT_EQ(child->hear(), "ready");
  for (const auto& child : children) child->go_on();
  std::set<std::string> claimed;
  int took_part = 0;
  for (const auto& child : children) {
    std::size_t before = claimed.size();
    for (std::string line = child->hear(); !line.empty(); line = child->hear()) {
      EXPECT_TRUE(claimed.insert(line).second) << line;
    }
    EXPECT_TRUE(child->wait());
    if (claimed.size() > before) ++took_part;
  }
  EXPECT_EQ(claimed.size(), 2U * kPartitions);
  EXPECT_EQ(took_part, 3);
}

TEST_F(PostgresProcessTest, AStoppedProcessThatWakesUpChangesNothing) {
  const auto store = open_postgres_store(options());
  plan(*store, 1, 1);
  Child zombie("Zombie", schema_.name());
  ASSERT_EQ(zombie.hear(), "claimed");
  zombie.signal(SIGSTOP);
  const WorkerId heir("heir");
  ASSERT_THAT(store->register_worker(heir, "h", 1), Succeeded());
  int freed = 0;
  while (freed == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    ASSERT_THAT(store->heartbeat(heir, {}), Succeeded());
    freed = *store->free_lost_claims(kShortLease, {});
  }
  const auto work = store->claim_next(heir);
  ASSERT_THAT(work, Succeeded());
  const Claim claim = std::get<PartitionWork>(**work).claim;
  ASSERT_THAT(store->checkpoint(claim, Part{}), Succeeded());
  zombie.signal(SIGCONT);
  zombie.go_on();
  EXPECT_TRUE(zombie.wait()) << "all that it tried was refused";
  EXPECT_EQ(store->parts(claim.job, 0)->size(), 1U);
  EXPECT_THAT(store->complete_partition(claim, 0, 0), Succeeded());
}

TEST_F(PostgresProcessTest, LeasesRunByTheServersClock) {
  const auto store = open_postgres_store(options());
  const auto server = [&] {
    return std::stoll(*schema_.ask("SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint")[0][0]);
  };
  const auto before = server();
  const auto now = store->now();
  ASSERT_THAT(now, Succeeded());
  EXPECT_GE(now->time_since_epoch().count(), before);
  EXPECT_LE(now->time_since_epoch().count(), server());
}

TEST_F(PostgresProcessTest, PollingNeverScansFinishedJobs) {
  const auto store = open_postgres_store(options());
  plan(*store, 1, 10);
  schema_.ask(R"(
    INSERT INTO export_jobs (tenant_id, requested_by, export_type, format, status, phase, filters, requested_columns, spec,
      created_at, completed_at, expires_at)
    SELECT 'tenant-' || i % 50, 'u', 'audit_logs', 'csv', 'SUCCEEDED', 'done', '[]', '{}',
      json_build_object('text', repeat(md5(i::text), 30)), now() - i * interval '1 s', now(), now() + interval '1 year'
    FROM generate_series(1, 10000) i;
    INSERT INTO export_job_partitions (id, job_id, partition_index, range_start, range_end, status, worker_id)
    SELECT gen_random_uuid(), j.id, i, 'a', 'b', 'COMPLETED', 'old' FROM export_jobs j, generate_series(0, 2) i
    WHERE j.status = 'SUCCEEDED')");
  const auto database = *sql::PostgresDatabase::make(options());
  const auto plan_of = [&](std::string_view statement) {
    std::string text;
    for (const TextRow& row : schema_.ask("EXPLAIN " + sql::expand(database->dialect(), statement)))
      text += *row[0] + "\n";
    return text;
  };
  for (const char* statistics : {"SELECT 1", "ANALYZE"}) {
    schema_.ask(statistics);
    for (const std::string_view statement :
         {claims::best_candidates(), claims::any_candidate(), claims::claims_of_the_dead()}) {
      const std::string text = plan_of(statement);
      EXPECT_THAT(text, Not(HasSubstr("Seq Scan on export_job"))) << statistics << "\n" << text;
      // Compiling a statement takes longer than running it.
      EXPECT_THAT(text, Not(HasSubstr("JIT"))) << statistics << "\n" << text;
    }
  }
}

}  // namespace
}  // namespace longshore
